import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import accounts from '@/locales/en/accounts.json'
import PushDevices from './PushDevices.vue'

const asha = someone('customer')
const { states, noServer } = accounts.push
const says = (words: string) => document.body.textContent.includes(words)
const toggle = () => document.querySelector<HTMLButtonElement>('[role="switch"]')
const key = `B${'A'.repeat(86)}`
const phone = {
  id: 7,
  provider: 'fcm.googleapis.com',
  user_agent: 'Mozilla/5.0 (Linux; Android 15) Chrome/140',
  created_at: '2026-11-20T10:00:00+05:30',
  current: 0,
}

interface Given {
  permission?: NotificationPermission
  granted?: NotificationPermission
  subscribe?: () => Promise<unknown>
}

/** A browser with push messages, as far as the page looks. */
function browser({ permission = 'default', granted = 'granted', subscribe }: Given = {}) {
  let present: unknown = null
  const made = {
    options: { applicationServerKey: null },
    toJSON: () => ({ endpoint: 'https://fcm.googleapis.com/x', keys: { p256dh: 'p', auth: 'a' } }),
    unsubscribe: vi.fn(async () => {
      present = null
      return true
    }),
  }
  const manager = {
    getSubscription: async () => present,
    subscribe: subscribe ?? (async () => (present = made)),
  }
  const registration = { pushManager: manager }
  const notification = {
    permission,
    requestPermission: async () => (notification.permission = granted),
  }
  vi.stubGlobal('isSecureContext', true)
  vi.stubGlobal('Notification', notification)
  vi.stubGlobal('PushManager', vi.fn())
  vi.stubGlobal('navigator', {
    userAgent: 'Chrome',
    serviceWorker: {
      register: async () => registration,
      ready: Promise.resolve(registration),
      getRegistration: async () => registration,
    },
  })
  return made
}

beforeEach(() => {
  localStorage.clear()
  answer('get', '/me/push_key', [200, { key }])
  answer('get', '/me/push_subscriptions', [200, { items: [phone], next_cursor: null }])
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('PushDevices', () => {
  it('turns push on and off for this device', async () => {
    const made = browser()
    const registered = answer('post', '/me/push_subscriptions', [201, { ...phone, id: 9, current: 1 }])
    const removed = answer('delete', '/me/push_subscriptions/9', [204, null])
    await show(PushDevices, { user: asha })
    await until(() => toggle()?.disabled === false, 'the switch')
    toggle()?.click()
    await until(() => says(states.on), 'the switch to be on')
    expect(registered[0]?.body).toEqual({
      endpoint: 'https://fcm.googleapis.com/x',
      keys: { p256dh: 'p', auth: 'a' },
    })
    toggle()?.click()
    await until(() => removed.length === 1, 'the call')
    await until(() => says(states.off), 'the switch to be off')
    expect(made.unsubscribe).toHaveBeenCalled()
  })

  it('says what to do where the browser cannot subscribe', async () => {
    browser({ subscribe: () => Promise.reject(new Error('no push server')) })
    await show(PushDevices, { user: asha })
    await until(() => toggle()?.disabled === false, 'the switch')
    toggle()?.click()
    await until(() => says(noServer), 'the reason')
    expect(toggle()?.getAttribute('aria-checked')).toBe('false')
  })

  it('says what to do once the permission is refused', async () => {
    browser({ granted: 'denied' })
    await show(PushDevices, { user: asha })
    await until(() => toggle()?.disabled === false, 'the switch')
    toggle()?.click()
    await until(() => says(states.denied), 'the reason')
    expect(toggle()?.disabled).toBe(true)
  })

  it.each([
    ['insecure', states.insecure, { isSecureContext: false }],
    ['unsupported', states.unsupported, { navigator: { userAgent: 'Firefox' } }],
    ['install', states.install, { navigator: { userAgent: 'iPhone' } }],
  ])('says why push is not possible: %s', async (_, words, globals) => {
    browser()
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value)
    await show(PushDevices, { user: asha })
    await until(() => says(words), 'the reason')
    expect(toggle()?.disabled).toBe(true)
  })

  it('lists other devices and removes them', async () => {
    browser()
    const removed = answer('delete', '/me/push_subscriptions/7', [204, null])
    await show(PushDevices, { user: asha })
    await until(() => says('Chrome on Android'), 'the other device')
    document.querySelector<HTMLElement>('[aria-label*="Chrome on Android"]')?.click()
    await until(() => removed.length === 1, 'the call')
  })
})
