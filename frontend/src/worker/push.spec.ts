import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

const origin = 'http://localhost:5000'
const heard: Record<string, (event: object) => void> = {}
const showNotification = vi.fn<(title: string, options: object) => Promise<void>>(async () => undefined)
const openWindow = vi.fn<(url: string) => Promise<void>>(async () => undefined)
const noted = new Map<string, unknown>()
let tabs: { url: string; focus: () => Promise<void> }[] = []

beforeAll(async () => {
  vi.stubGlobal('self', {
    location: new URL(`${origin}/app/service-worker.js`),
    registration: { showNotification },
    clients: { matchAll: async () => tabs, openWindow },
    addEventListener: (name: string, hear: (event: object) => void) => (heard[name] = hear),
  })
  await import('./push')
  vi.unstubAllGlobals()
  vi.stubGlobal('caches', {
    open: async () => ({ put: async (at: string, what: unknown) => noted.set(at, what) }),
  })
})
beforeEach(() => {
  vi.clearAllMocks()
  tabs = []
})

/** Raises an event, and waits for what the worker asked to be waited for. */
async function raise(name: string, event: object): Promise<void> {
  const waiting: Promise<unknown>[] = []
  heard[name]?.({ ...event, waitUntil: (work: Promise<unknown>) => waiting.push(work) })
  expect(waiting).toHaveLength(1)
  await Promise.all(waiting)
}
const press = (url: unknown, close = vi.fn()) =>
  raise('notificationclick', { notification: { close, data: { url } } })

describe('a push message', () => {
  it('is shown with its text, language and tag', async () => {
    const message = {
      title: 'Accepted',
      body: 'Ravi comes.',
      url: '/app/requests/7',
      tag: 't',
      language: 'hi',
    }
    await raise('push', { data: { json: () => message } })
    expect(showNotification).toHaveBeenCalledWith('Accepted', {
      body: 'Ravi comes.',
      tag: 't',
      lang: 'hi',
      data: { url: '/app/requests/7' },
    })
  })

  it.each([
    ['no data', null],
    [
      'data that is not JSON',
      {
        json: () => {
          throw new SyntaxError('not JSON')
        },
      },
    ],
  ])('is shown even with %s, or browsers withdraw the permission', async (_, data) => {
    await raise('push', { data })
    expect(showNotification).toHaveBeenCalledTimes(1)
  })
})

describe('a button of a notification', () => {
  const actions = [
    { action: 'on_time', title: 'On time', url: '/app/requests/7?action=on_time' },
    { action: 'bad', title: 'Bad', url: 'https://evil.example/app/requests/7' },
  ]

  it('is shown, and its press is noted for the page that it opens', async () => {
    await raise('push', {
      data: { json: () => ({ title: 'Soon', body: '', url: '/app/requests/7', actions }) },
    })
    const options = showNotification.mock.calls[0]?.[1] as { actions: object[]; data: object }
    expect(options.actions[0]).toEqual({ action: 'on_time', title: 'On time' })
    tabs = [{ url: `${origin}/app/requests/7?action=on_time`, focus: vi.fn(async () => undefined) }]
    await raise('notificationclick', {
      action: 'on_time',
      notification: { close: vi.fn(), data: options.data },
    })
    expect(openWindow).toHaveBeenCalledWith(`${origin}/app/requests/7?action=on_time`)
    expect([...noted.keys()]).toEqual(['/app/presses/7/on_time'])
    noted.clear()
    await raise('notificationclick', { action: 'bad', notification: { close: vi.fn(), data: options.data } })
    expect(openWindow).toHaveBeenLastCalledWith(`${origin}/app/`)
    expect(noted.size).toBe(0)
  })
})

describe('a notification that is pressed', () => {
  it('opens its page and closes', async () => {
    const close = vi.fn()
    await press('/app/requests/7', close)
    expect(openWindow).toHaveBeenCalledWith(`${origin}/app/requests/7`)
    expect(close).toHaveBeenCalled()
  })

  it('shows the tab that has its page, and leaves others alone', async () => {
    const [other, same] = ['/app/profile', '/app/requests/7'].map((path) => ({
      url: origin + path,
      focus: vi.fn(async () => undefined),
    }))
    tabs = [other, same].filter((one) => one !== undefined)
    await press('/app/requests/7')
    expect(same?.focus).toHaveBeenCalled()
    expect(other?.focus).not.toHaveBeenCalled()
    expect(openWindow).not.toHaveBeenCalled()
  })

  it.each(['https://evil.example/app/', '//evil.example/app/', 'javascript:alert(1)', '/docs', 7, undefined])(
    'opens no page of others: %s',
    async (url) => {
      await press(url)
      expect(openWindow).toHaveBeenCalledWith(`${origin}/app/`)
    },
  )
})
