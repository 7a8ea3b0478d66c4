import { beforeEach, describe, expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import { show, until } from '@/shared/testing/mount'
import { useLinkToken } from './useLinkToken'

const page = defineComponent({
  setup() {
    const token = useLinkToken()
    return () => h('output', token)
  },
})

describe('useLinkToken', () => {
  beforeEach(() => window.history.replaceState(null, ''))

  it.each([
    ['the fragment', '/email/undo#token=a-b_c'],
    ['the query of an earlier link', '/email/undo?token=a-b_c'],
  ])('reads the token from %s and takes it out of the address', async (_, path) => {
    const { wrapper, router } = await show(page, { path })
    expect(wrapper.find('output').text()).toBe('a-b_c')
    await until(() => router.currentRoute.value.fullPath === '/email/undo', 'the address')
    expect(wrapper.find('output').text()).toBe('a-b_c')
  })

  it('keeps the token after a reload', async () => {
    window.history.replaceState({ linkToken: 'a-b_c' }, '')
    const { wrapper } = await show(page, { path: '/email/undo' })
    expect(wrapper.find('output').text()).toBe('a-b_c')
  })

  it('is empty when the link is incomplete', async () => {
    const { wrapper } = await show(page, { path: '/email/undo' })
    expect(wrapper.find('output').text()).toBe('')
  })
})
