import { beforeEach, describe, expect, it } from 'vitest'
import { useSession } from '@/shared/session/store'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import accounts from '@/locales/en/accounts.json'
import validation from '@/locales/en/validation.json'
import errors from '@/locales/en/errors.json'
import VerifyPhone from './VerifyPhone.vue'

const asha = someone('customer', { phone: '+919876543210' })
const says = (words: string) => document.body.textContent.includes(words)
const button = (text: string) =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === text)
const field = () => document.querySelector('input')
const alert = () => document.querySelector('[role="alert"]')?.textContent

async function enter(code: string): Promise<void> {
  const input = field()
  if (!input) throw new Error('There is no field for the code')
  input.value = code
  input.dispatchEvent(new Event('input'))
  button(accounts.phone.confirm)?.click()
  await Promise.resolve()
}

async function codeSent(): Promise<void> {
  await show(VerifyPhone, { user: asha })
  button(accounts.phone.send)?.click()
  await until(() => field() !== null, 'the field for the code')
}

beforeEach(() => {
  answer('post', '/me/phone/code', [202, { phone: '+919876543210', expires_at: '2026-11-27T10:10:00+05:30' }])
})

describe('VerifyPhone', () => {
  it.each([
    ['without a phone number', null, 0],
    ['with a number that is verified', '+919876543210', 1],
  ] as const)('shows nothing to an account %s', async (_, phone, verified) => {
    await show(VerifyPhone, { user: someone('customer', { phone, phone_verified: verified }) })
    expect(says(accounts.phone.title)).toBe(false)
  })

  it('sends a code, shows the number, and focuses the field', async () => {
    await codeSent()
    await until(() => document.activeElement === field(), 'the focus')
    expect(says('We sent a code to +919876543210.')).toBe(true)
  })

  it('disappears after the number is verified', async () => {
    const seen = answer('post', '/me/phone/confirm', [200, { ...asha, phone_verified: 1 }])
    await codeSent()
    await enter('012345')
    await until(() => !says(accounts.phone.title), 'the end')
    expect(seen.map(({ body }) => body)).toEqual([{ code: '012345' }])
    expect(useSession().user?.phone_verified).toBe(1)
    await until(() => says(accounts.phone.verified), 'the notice')
  })

  it('does not submit a malformed code', async () => {
    const seen = answer('post', '/me/phone/confirm', [200])
    await codeSent()
    await enter('12345')
    await until(() => says(validation.code), 'the word')
    expect(seen).toEqual([])
  })

  it.each(['wrong_code', 'code_expired'] as const)(
    'says %s in its own words, once, beside the code that was typed',
    async (code) => {
      answer('post', '/me/phone/confirm', [422, { code, errors: { code: ['The words of the server.'] } }])
      await codeSent()
      await enter('111111')
      await until(() => field()?.getAttribute('aria-invalid') === 'true', 'the mark')
      const help = document.getElementById(field()?.getAttribute('aria-describedby')?.split(' ')[0] ?? '')
      expect(help?.textContent).toBe(errors[code])
      expect(says('The words of the server.')).toBe(false)
      expect(field()?.value).toBe('111111')
      expect(document.querySelector('[role="alert"]')?.classList.contains('sr-only')).toBe(true)
    },
  )

  it('asks to request a new code after too many wrong ones', async () => {
    answer('post', '/me/phone/confirm', [429, { code: 'too_many_tries' }, { 'Retry-After': '30' }])
    await codeSent()
    await enter('111111')
    await until(() => alert() === errors.phone_code_used_up, 'the word')
  })

  it('says when a new code can be requested, and still takes the one that was sent', async () => {
    answer('post', '/me/phone/code', [429, { code: 'too_many_requests' }, { 'Retry-After': '5400' }])
    await show(VerifyPhone, { user: asha })
    button(accounts.phone.send)?.click()
    await until(() => alert()?.includes('1 hr') === true, 'the wait')
    expect(field()).not.toBeNull()
    expect(says(accounts.phone.why.split('.')[0] ?? '-')).toBe(true)
  })

  it.each(['sms_not_set_up', 'sms_not_available', 'sms_limit_reached'] as const)(
    'says why there is no code: %s',
    async (code) => {
      answer('post', '/me/phone/code', [409, { code }])
      await show(VerifyPhone, { user: asha })
      button(accounts.phone.send)?.click()
      await until(() => alert() === errors[code], 'the reason')
      expect(field()).toBeNull()
    },
  )
})
