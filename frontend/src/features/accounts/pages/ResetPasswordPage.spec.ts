import { describe, expect, it } from 'vitest'
import accounts from '@/locales/en/accounts.json'
import errors from '@/locales/en/errors.json'
import { useSession } from '@/shared/session/store'
import { show, someone, until } from '@/shared/testing/mount'
import { alert, field, fill, link, says, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import ResetPasswordPage from './ResetPasswordPage.vue'

const { newPassword } = accounts.fields

describe('ResetPasswordPage', () => {
  it('sets the password by the token of the link, signs out, and says so at the sign-in', async () => {
    const set = answer('post', '/password/reset', [204])
    const { router } = await show(ResetPasswordPage, {
      path: '/password/reset#token=abc',
      user: someone('customer'),
    })
    fill(newPassword, 'four words are better')
    await submit()
    await until(() => router.currentRoute.value.path === '/sign-in', 'the page')
    expect(router.currentRoute.value.query).toEqual({ why: 'reset' })
    expect(set.map(({ body }) => body)).toEqual([{ token: 'abc', password: 'four words are better' }])
    expect(useSession().user).toBeNull()
  })

  it('keeps what was typed when the link was used before, and offers a new one', async () => {
    answer('post', '/password/reset', [422, { code: 'link_invalid', errors: { token: ['used'] } }])
    await show(ResetPasswordPage, { path: '/password/reset#token=abc' })
    fill(newPassword, 'four words are better')
    await submit()
    await until(() => alert() === errors.link_invalid, 'the word')
    expect(field(newPassword).value).toBe('four words are better')
    expect(link(accounts.reset.again)?.getAttribute('href')).toBe('/password/forgot')
  })

  it('asks for no password where the link is incomplete', async () => {
    await show(ResetPasswordPage, { path: '/password/reset' })
    expect(says(accounts.reset.broken)).toBe(true)
    expect(document.querySelector('form')).toBeNull()
  })
})
