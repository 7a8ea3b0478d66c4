import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { getToken, setToken } from '@/shared/api/token'
import { someone } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { homeOf, useSession } from './store'

const signIn = (user = someone('customer')) => ({ access_token: 'abc', token_type: 'Bearer', expires_in: 900, role: user.role, user })

describe('session', () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    setToken(null)
  })

  it('restores once, whatever the number of guards that ask', async () => {
    document.cookie = 'csrf_refresh_token=c'
    const seen = answer('post', '/token/refresh', [200, signIn()])
    const session = useSession()
    await Promise.all([session.restore(), session.restore()])
    expect(seen).toHaveLength(1)
    expect(session.role).toBe('customer')
  })

  it('is a visitor when the server is away', async () => {
    document.cookie = 'csrf_refresh_token=c'
    answer('post', '/token/refresh', [503])
    const session = useSession()
    await session.restore()
    expect(session.signedIn).toBe(false)
  })

  it('forgets everything at sign-out, even when the call fails', async () => {
    answer('post', '/check', [200, signIn()])
    answer('post', '/logout', [503])
    const session = useSession()
    await session.signIn({ username: 'asha', password: 'x' })
    expect(getToken()).toBe('abc')
    await session.signOut().catch(() => undefined)
    expect([session.user, getToken()]).toEqual([null, null])
  })

  it('answers everyone who waits for a new sign-in', async () => {
    answer('post', '/check', [200, signIn()])
    const session = useSession()
    const waiting = Promise.all([session.askAgain(), session.askAgain()])
    expect(session.asking).toBe(true)
    await session.signIn({ username: 'asha', password: 'x' })
    expect(await waiting).toEqual([true, true])
    expect(session.asking).toBe(false)
  })

  it('knows who waits for approval and where each role begins', () => {
    const session = useSession()
    session.user = someone('professional', { isactive: 0 })
    expect(session.waiting).toBe(true)
    expect([null, someone('customer'), someone('professional'), someone('professional', { isactive: 0 }), someone('admin')].map(homeOf)).toEqual(['/', '/', '/inbox', '/approval', '/admin'])
  })
})
