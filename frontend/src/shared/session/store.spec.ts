import { http, HttpResponse } from 'msw'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { AccountChanged } from '@/shared/api/identity'
import { csrfToken, getToken, setToken } from '@/shared/api/token'
import { someone } from '@/shared/testing/mount'
import { answer, server } from '@/shared/testing/server'
import { accountKey, draftKey, rememberedPlace, rememberPlace } from './kept'
import { homeOf, useSession } from './store'

const signIn = (user = someone('customer')) => ({
  access_token: 'abc',
  token_type: 'Bearer',
  expires_in: 900,
  role: user.role,
  user,
})

describe('session', () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    setToken(null)
  })

  it('restores the session once for any number of guards', async () => {
    document.cookie = 'csrf_refresh_token=c'
    const seen = answer('post', '/token/refresh', [200, signIn()])
    const session = useSession()
    await Promise.all([session.restore(), session.restore()])
    expect(seen).toHaveLength(1)
    expect(session.role).toBe('customer')
  })

  it('leaves the user unknown while the server is unavailable, and resolves it afterwards', async () => {
    document.cookie = 'csrf_refresh_token=c'
    answer('post', '/token/refresh', [503], [200, signIn()])
    const session = useSession()
    await session.restore()
    expect([session.signedIn, session.unknown]).toEqual([false, true])
    await session.follow()
    expect([session.role, session.unknown]).toEqual(['customer', false])
  })

  it('takes the user to be who it was while the server is unavailable, unless the session has ended', async () => {
    localStorage.setItem(accountKey, JSON.stringify(someone('professional')))
    answer('post', '/token/refresh', [503], [200, signIn(someone('professional'))])
    const ended = useSession()
    await ended.restore()
    expect(ended.signedIn).toBe(false)
    setActivePinia(createPinia())
    document.cookie = 'csrf_refresh_token=c'
    const session = useSession()
    await session.restore()
    expect([session.role, session.unknown]).toEqual(['professional', true])
    await session.follow()
    expect([session.role, session.unknown]).toEqual(['professional', false])
  })

  it('clears everything at sign-out, even when the call fails', async () => {
    document.cookie = 'csrf_refresh_token=c; path=/'
    answer('post', '/check', [200, signIn()])
    answer('post', '/logout', [503])
    const session = useSession()
    await session.signIn({ username: 'asha', password: 'x' })
    expect(getToken()).toBe('abc')
    sessionStorage.setItem(draftKey('ask-3'), '{"address":"12 Residency Road"}')
    rememberPlace('560025')
    await session.signOut()
    expect([session.user, getToken(), csrfToken(), sessionStorage.length, rememberedPlace()]).toEqual([
      null,
      null,
      null,
      0,
      '',
    ])
  })

  it('sends pending changes of a page before signing out', async () => {
    answer('post', '/check', [200, signIn()])
    const order: string[] = []
    const { signIn: enter, signOut, beforeSignOut } = useSession()
    await enter({ username: 'asha', password: 'x' })
    server.use(
      http.post('*/logout', () => {
        order.push('logout')
        return new HttpResponse(null, { status: 204 })
      }),
    )
    const off = beforeSignOut(() => Promise.resolve(order.push('held back')))
    await signOut()
    expect(order).toEqual(['held back', 'logout'])
    off()
  })

  it("keeps the drafts of who comes back, and nobody else's", async () => {
    answer('post', '/check', [200, signIn()], [200, signIn()], [200, signIn(someone('customer', { id: 8 }))])
    const session = useSession()
    const enter = () => session.signIn({ username: 'x', password: 'x' })
    await enter()
    const draft = draftKey('ask-3')
    sessionStorage.setItem(draft, '{}')
    sessionStorage.setItem(draftKey('sign-up', null), '{}')
    session.forget({ keepDrafts: true })
    await enter()
    expect(Object.keys(sessionStorage)).toEqual([draft])
    await enter()
    expect(sessionStorage.length).toBe(0)
  })

  it('is not undone by a late response', async () => {
    answer('post', '/check', [200, signIn()])
    answer('post', '/logout', [204])
    const session = useSession()
    await session.signIn({ username: 'asha', password: 'x' })
    let reply: () => void = () => undefined
    const asked = new Promise<void>((resolve) => {
      server.use(
        http.get('*/me', async () => {
          resolve()
          await new Promise<void>((go) => (reply = go))
          return HttpResponse.json(someone('customer'))
        }),
      )
    })
    const late = session.reload()
    await asked
    await session.signOut()
    reply()
    await expect(late).rejects.toThrow(AccountChanged)
    expect([session.user, getToken()]).toEqual([null, null])
  })

  it('reports to pending calls that another account signed in', async () => {
    answer('post', '/check', [200, signIn()], [200, signIn(someone('customer', { id: 8 }))])
    const session = useSession()
    await session.signIn({ username: 'asha', password: 'x' })
    const waiting = session.askAgain()
    await session.signIn({ username: 'ravi', password: 'x' })
    expect(await waiting).toBe(false)
    expect(session.user?.id).toBe(8)
  })

  it('resolves all calls that wait for a new sign-in', async () => {
    answer('post', '/check', [200, signIn()])
    const session = useSession()
    const waiting = Promise.all([session.askAgain(), session.askAgain()])
    expect(session.asking).toBe(true)
    await session.signIn({ username: 'asha', password: 'x' })
    expect(await waiting).toEqual([true, true])
    expect(session.asking).toBe(false)
  })

  it('asks for the password once for all calls that need it', async () => {
    answer('post', '/me/confirm-password', [422, { code: 'wrong_password' }], [204])
    const session = useSession()
    const waiting = Promise.all([session.askForPassword(), session.askForPassword()])
    await expect(session.confirmPassword('wrong')).rejects.toThrow()
    expect(session.proving).toBe(true)
    await session.confirmPassword('right')
    expect([await waiting, session.proving]).toEqual([[true, true], false])
    const given = session.askForPassword()
    session.forget()
    expect([await given, session.proving]).toEqual([false, false])
  })

  it('knows who waits for approval and the home page of each role', () => {
    const session = useSession()
    session.user = someone('professional', { isactive: 0 })
    expect(session.waiting).toBe(true)
    expect(
      [
        null,
        someone('customer'),
        someone('professional'),
        someone('professional', { isactive: 0 }),
        someone('admin'),
      ].map(homeOf),
    ).toEqual(['/', '/', '/inbox', '/approval', '/admin'])
  })
})
