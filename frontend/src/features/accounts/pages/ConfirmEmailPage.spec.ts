import { describe, expect, it } from 'vitest'
import accounts from '@/locales/en/accounts.json'
import errors from '@/locales/en/errors.json'
import { useSession } from '@/shared/session/store'
import { show, someone, until } from '@/shared/testing/mount'
import { alert, button, link, press, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import ConfirmEmailPage from './ConfirmEmailPage.vue'

const texts = accounts.confirm
const asha = someone('customer', { email_confirmed: 0 })

describe('ConfirmEmailPage', () => {
  it('confirms nothing before the button is pressed, then shows the account as confirmed', async () => {
    const sent = answer('post', '/email/confirm', [204])
    answer('get', '/me', [200, { ...asha, email_confirmed: 1 }])
    await show(ConfirmEmailPage, { path: '/email/confirm#token=abc', user: asha })
    await sees(texts.intro)
    expect(sent).toEqual([])
    await press(texts.action)
    await sees(texts.done)
    expect(sent.map(({ body }) => body)).toEqual([{ token: 'abc' }])
    await until(() => useSession().user?.email_confirmed === 1, 'the account')
    expect(link(texts.goOn)?.getAttribute('href')).toBe('/')
  })

  it('leads a visitor to the sign-in afterwards', async () => {
    answer('post', '/email/confirm', [204])
    await show(ConfirmEmailPage, { path: '/email/confirm#token=abc' })
    await press(texts.action)
    await sees(texts.done)
    expect(link(accounts.signIn.action)?.getAttribute('href')).toBe('/sign-in')
  })

  it('says that a link was used, and can be tried again', async () => {
    answer('post', '/email/confirm', [422, { code: 'link_invalid', errors: {} }], [204])
    await show(ConfirmEmailPage, { path: '/email/confirm#token=abc' })
    await press(texts.action)
    await until(() => alert() === errors.link_invalid, 'the word')
    await press(texts.action)
    await sees(texts.done)
  })

  it('offers no button where the link is incomplete', async () => {
    await show(ConfirmEmailPage, { path: '/email/confirm' })
    expect(says(texts.broken)).toBe(true)
    expect(button(texts.action)).toBeUndefined()
  })
})
