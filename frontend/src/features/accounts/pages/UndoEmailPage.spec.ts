import { describe, expect, it } from 'vitest'
import { useSession } from '@/shared/session/store'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import accounts from '@/locales/en/accounts.json'
import UndoEmailPage from './UndoEmailPage.vue'

const button = () =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === accounts.undo.action)
const alert = () => document.querySelector('[role="alert"]')?.textContent
const ways = () => [...document.querySelectorAll('a')].map((one) => one.getAttribute('href'))

describe('UndoEmailPage', () => {
  it('changes nothing before the button is pressed, then signs out and leads to the password reset', async () => {
    const seen = answer('post', '/email/undo', [204])
    await show(UndoEmailPage, { path: '/email/undo#token=abc', user: someone('customer') })
    await until(() => button() !== undefined, 'the button')
    expect(seen).toEqual([])
    button()?.click()
    await until(
      () => document.querySelector('[role="status"]')?.textContent?.includes(accounts.undo.done) === true,
      'the end',
    )
    expect(seen.map(({ body }) => body)).toEqual([{ token: 'abc' }])
    expect(useSession().user).toBeNull()
    expect(ways()).toEqual(expect.arrayContaining(['/password/forgot', '/sign-in']))
  })

  it('offers alternatives when the link was already used', async () => {
    answer('post', '/email/undo', [422, { code: 'link_invalid', errors: { token: ['used'] } }])
    await show(UndoEmailPage, { path: '/email/undo#token=abc' })
    button()?.click()
    await until(() => alert() === accounts.undo.used, 'the word')
    expect(button()).toBeUndefined()
    expect(ways()).toEqual(expect.arrayContaining(['/password/forgot', '/sign-in']))
  })

  it('can be retried after the server was unavailable', async () => {
    answer('post', '/email/undo', [503, { code: 'unavailable' }], [204])
    await show(UndoEmailPage, { path: '/email/undo#token=abc' })
    button()?.click()
    await until(() => alert() !== undefined, 'the word')
    button()?.click()
    await until(() => document.body.textContent.includes(accounts.undo.done), 'the end')
    expect(alert()).toBeUndefined()
  })

  it('reports an incomplete link', async () => {
    await show(UndoEmailPage, { path: '/email/undo' })
    expect(alert()).toBe(accounts.undo.broken)
    expect(button()).toBeUndefined()
  })
})
