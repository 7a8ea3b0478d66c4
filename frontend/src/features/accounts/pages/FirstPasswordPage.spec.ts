import { describe, expect, it } from 'vitest'
import accounts from '@/locales/en/accounts.json'
import { show, someone, until } from '@/shared/testing/mount'
import { field, fill, problemOf, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import FirstPasswordPage from './FirstPasswordPage.vue'

const { currentPassword, newPassword } = accounts.fields
const meera = someone('admin', { must_change_password: 1 })

async function change() {
  const { router } = await show(FirstPasswordPage, { user: meera, path: '/password/first' })
  fill(currentPassword, 'issued to me')
  fill(newPassword, 'four words are better')
  await submit()
  return router
}

describe('FirstPasswordPage', () => {
  it('goes on to the home of the account once its own password is set', async () => {
    const changed = answer('post', '/me/password', [204])
    answer('get', '/me', [200, { ...meera, must_change_password: 0 }])
    const router = await change()
    await until(() => router.currentRoute.value.path === '/admin', 'the page')
    expect(changed[0]?.body).toEqual({
      current_password: 'issued to me',
      password: 'four words are better',
    })
  })

  it('stays and says beside the field that the issued password is wrong', async () => {
    answer('post', '/me/password', [
      422,
      { code: 'wrong_password', errors: { current_password: ['This is not your password.'] } },
    ])
    const router = await change()
    await until(() => problemOf(currentPassword) !== undefined, 'the word')
    expect(router.currentRoute.value.path).toBe('/password/first')
    expect(field(newPassword).value).toBe('four words are better')
  })
})
