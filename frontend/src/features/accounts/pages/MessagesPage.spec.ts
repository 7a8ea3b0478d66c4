import { describe, expect, it } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import accounts from '@/locales/en/accounts.json'
import MessagesPage from './MessagesPage.vue'

const asha = someone('customer', { phone: '+919876543210' })
const stored = {
  channels: ['sms', 'mail'],
  gchat_webhook: null,
  chat_id: null,
  quiet_hours: { from: '22:30', to: '06:15' },
  kinds: { report: ['mail'], reminder: ['sms'] },
}
const says = (words: string) => document.body.textContent.includes(words)
const submit = () =>
  document.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true, bubbles: true }))
const button = (text: string) =>
  [...document.querySelectorAll('button')].find(
    (one) => (one.getAttribute('aria-label') ?? one.textContent?.trim()) === text,
  )
const order = () =>
  [...document.querySelectorAll('ol li')].map((one) => one.querySelector('.font-semibold')?.textContent)
const times = () => [...document.querySelectorAll<HTMLInputElement>('input[type="time"]')]
const without = (channel: 'sms' | 'mail') =>
  accounts.messages.without.replace('{channel}', accounts.messages.channels[channel])

async function page(preferences: object = stored, user = asha) {
  answer('get', '/me/preferences', [200, preferences as never])
  answer('get', '/me/push_subscriptions', [200, { items: [], next_cursor: null }])
  const saved = answer('put', '/me/preferences', [200, preferences as never])
  await show(MessagesPage, { user })
  await until(() => document.querySelector('form') !== null, 'the form')
  return saved
}

describe('MessagesPage', () => {
  it('saves changes and keeps the kinds that it does not show', async () => {
    const saved = await page()
    expect(order()).toEqual([accounts.messages.channels.sms, accounts.messages.channels.mail])
    expect(times().map(({ value }) => value)).toEqual(['22:30', '06:15'])
    button(without('sms'))?.click()
    await until(() => order().length === 1, 'one channel')
    submit()
    await until(() => saved.length === 1, 'the call')
    expect(saved[0]?.body).toEqual({ ...stored, channels: ['mail'] })
    await until(() => says(accounts.messages.saved), 'the notice')
  })

  it('rejects quiet hours that end when they start', async () => {
    const saved = await page({ ...stored, quiet_hours: { from: '22:00', to: '22:00' } })
    submit()
    await until(() => says(accounts.messages.quietWrong), 'the word')
    expect(saved).toEqual([])
  })

  it('sends no quiet hours when they are switched off', async () => {
    const saved = await page()
    document.querySelector<HTMLElement>('[aria-labelledby="quiet"] [role="switch"]')?.click()
    await until(() => times().length === 0, 'the end of the times')
    submit()
    await until(() => saved.length === 1, 'the call')
    expect(saved[0]?.body).toMatchObject({ quiet_hours: null })
  })

  it('offers verification only with SMS chosen and an unverified number', async () => {
    await page()
    expect(says(accounts.phone.title)).toBe(true)
    expect(says(accounts.messages.unverified)).toBe(true)
    button(without('sms'))?.click()
    await until(() => !says(accounts.phone.title), 'its end')
  })

  it('shows a number that is verified as such', async () => {
    await page(stored, { ...asha, phone_verified: 1 })
    expect(says(accounts.messages.verified)).toBe(true)
    expect(says(accounts.messages.unverified)).toBe(false)
    expect(says(accounts.phone.title)).toBe(false)
  })

  it('asks for a phone number where SMS was chosen without one', async () => {
    await page(stored, someone('customer'))
    expect(says(accounts.messages.noPhone)).toBe(true)
  })

  it('can be loaded again after an error', async () => {
    answer('get', '/me/preferences', [500], [200, stored])
    await show(MessagesPage, { user: asha })
    await until(
      () =>
        document.querySelector('[role="alert"] button, main button, button') !== null &&
        document.querySelector('form') === null,
      'the way on',
    )
    ;[...document.querySelectorAll('button')].at(-1)?.click()
    await until(() => document.querySelector('form') !== null, 'the form')
  })
})
