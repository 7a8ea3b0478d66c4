import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, ref } from 'vue'
import { appStatus, clearTroubles, reportError, watchAppStatus } from '@/shared/lib/appStatus'
import { useProblem } from '@/shared/composables/useProblem'
import { AxiosError } from 'axios'
import { show, until } from '@/shared/testing/mount'
import AppStatus from './AppStatus.vue'
import PageBoundary from './PageBoundary.vue'

watchAppStatus()
const fire = (name: string, more: object = {}) =>
  window.dispatchEvent(Object.assign(new Event(name, { cancelable: true }), more))
const says = (words: string) => document.body.textContent.includes(words)

afterEach(() => {
  clearTroubles()
  appStatus.online = true
  vi.restoreAllMocks()
})

describe('AppStatus', () => {
  it('shows at once that the connection is lost, and nothing when it is back', async () => {
    await show(AppStatus)
    expect(says('You are offline')).toBe(false)
    fire('offline')
    await nextTick()
    expect(says('You are offline')).toBe(true)
    fire('online')
    await nextTick()
    expect(says('You are offline')).toBe(false)
  })

  it('reports a part that failed to load once, also when the error is repeated as a rejection', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    await show(AppStatus)
    const payload = new TypeError('Failed to fetch dynamically imported module')
    fire('vite:preloadError', { payload })
    fire('unhandledrejection', { reason: payload })
    await nextTick()
    expect(says('A part of this page could not be loaded.')).toBe(true)
    expect(appStatus.broken).toBe(false)
  })

  it('reports unhandled errors, but not aborted calls', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    await show(AppStatus)
    fire('unhandledrejection', { reason: new DOMException('left', 'AbortError') })
    await nextTick()
    expect([says('Something went wrong.'), log.mock.calls.length]).toEqual([false, 0])
    fire('unhandledrejection', { reason: new TypeError('x is undefined') })
    await nextTick()
    expect(says('Something went wrong.')).toBe(true)
    expect(log).toHaveBeenCalledOnce()
  })
})

describe('PageBoundary', () => {
  it('shows an error and links instead of a page that fails to render, until another page is opened', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => undefined)
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const broken = ref(false)
    const page = defineComponent({
      render() {
        if (broken.value) throw new TypeError('parseDate')
        return h('p', 'the page')
      },
    })
    const app = defineComponent({ render: () => [h(AppStatus), h(PageBoundary, null, () => h(page))] })
    const { router } = await show(app, { errorHandler: reportError })
    expect(says('the page')).toBe(true)
    broken.value = true
    await until(() => says('This page cannot be shown'), 'the word')
    expect(appStatus.broken).toBe(false)
    broken.value = false
    await router.push('/elsewhere')
    await until(() => says('the page'), 'the page')
  })
})

describe('a call without a connection', () => {
  it('fails with a message about the connection', async () => {
    let title = ''
    const part = defineComponent({
      setup() {
        const { tell } = useProblem()
        return () => h('button', { onClick: () => (title = tell(new AxiosError('Network Error')).title) })
      },
    })
    const { wrapper } = await show(part)
    fire('offline')
    await wrapper.find('button').trigger('click')
    expect(title).toContain('You are offline.')
  })
})
