import { describe, expect, it } from 'vitest'
import accounts from '@/locales/en/accounts.json'
import { show, until } from '@/shared/testing/mount'
import { alert, field, fill, press, problemOf, sees, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import ForgotPasswordPage from './ForgotPasswordPage.vue'

const { email } = accounts.fields

describe('ForgotPasswordPage', () => {
  it('says where the link went, and lets another email be entered', async () => {
    const sent = answer('post', '/password/forgot', [202])
    await show(ForgotPasswordPage)
    fill(email, 'asha@example.org')
    await submit()
    await sees(accounts.forgot.sentHint.replace('{email}', 'asha@example.org'))
    expect(sent.map(({ body }) => body)).toEqual([{ email: 'asha@example.org' }])
    await press(accounts.forgot.again)
    await until(() => document.querySelector('form') !== null, 'the form')
    expect(field(email).value).toBe('asha@example.org')
  })

  it('sends nothing for what is no email', async () => {
    const sent = answer('post', '/password/forgot', [202])
    await show(ForgotPasswordPage)
    fill(email, 'asha')
    await submit()
    await until(() => problemOf(email) !== undefined, 'the word')
    expect(sent).toEqual([])
  })

  it('says how long to wait after too many tries, and keeps the email', async () => {
    answer('post', '/password/forgot', [429, { code: 'too_many_tries' }, { 'Retry-After': '600' }])
    await show(ForgotPasswordPage)
    fill(email, 'asha@example.org')
    await submit()
    await until(() => alert()?.includes('10 min') === true, 'the word')
    expect(field(email).value).toBe('asha@example.org')
  })
})
