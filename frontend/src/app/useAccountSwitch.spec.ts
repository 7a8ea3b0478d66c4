import { defineComponent, h } from 'vue'
import { expect, it, vi } from 'vitest'
import { useSession } from '@/shared/session/store'
import { show, someone, until } from '@/shared/testing/mount'
import { useAccountSwitch } from './useAccountSwitch'

const page = defineComponent({
  setup() {
    const { switching } = useAccountSwitch()
    return () => (switching.value ? null : h('input', { id: 'typed' }))
  },
})
const signIn = (id: number) => {
  const user = someone('customer', { id, firstname: 'Ravi' })
  return { access_token: 'x', token_type: 'Bearer', expires_in: 900, role: user.role, user }
}

it("leaves the previous account's page, goes home and shows who is signed in", async () => {
  const { router } = await show(page, { user: someone('customer'), path: '/requests/3' })
  const before = document.querySelector('#typed')
  useSession().adopt(signIn(8))
  await until(() => router.currentRoute.value.path === '/', 'home')
  await until(() => document.querySelector('#typed') !== null, 'the new page')
  expect(document.querySelector('#typed')).not.toBe(before)
  await until(() => document.body.textContent.includes('You are now signed in as Ravi Rao.'), 'the word')
})

it('keeps the page when the same account signs in again', async () => {
  const { router } = await show(page, { user: someone('customer'), path: '/requests/3' })
  const replaced = vi.spyOn(router, 'replace')
  const before = document.querySelector('#typed')
  useSession().adopt(signIn(7))
  expect(replaced).not.toHaveBeenCalled()
  expect(document.querySelector('#typed')).toBe(before)
})
