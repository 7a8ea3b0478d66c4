import { http as rest, HttpResponse } from 'msw'
import { describe, expect, it, vi } from 'vitest'
import { setLanguage } from '@/shared/lib/i18n'
import { answer, server } from '@/shared/testing/server'
import { http } from './http'
import { watchSession } from './sessionWatch'
import { AccountChanged, actAs } from './identity'
import { toProblem } from './problem'
import { getToken, setToken } from './token'

const tokens = (access_token: string) => ({
  access_token,
  token_type: 'Bearer',
  expires_in: 900,
  role: 'customer',
  user: { id: 7 },
})

function signedIn(): void {
  setToken('old')
  document.cookie = 'csrf_refresh_token=double%20submit'
}

describe('http', () => {
  it('sends the access token only if there is one', async () => {
    setToken(null)
    const seen = answer('get', '/tasks', [200])
    await http.get('/tasks')
    setToken('abc')
    await http.get('/tasks')
    expect(seen.map((one) => one.headers.get('authorization'))).toEqual([null, 'Bearer abc'])
  })

  it("sends the page's language", async () => {
    setToken(null)
    const seen = answer('get', '/tasks', [200])
    await setLanguage('hi')
    await http.get('/tasks')
    await setLanguage('en')
    await http.get('/tasks')
    expect(seen.map((one) => one.headers.get('accept-language'))).toEqual(['hi', 'en'])
  })

  it('renews the session once for many calls and repeats each of them', async () => {
    signedIn()
    const renewals = answer('post', '/token/refresh', [200, tokens('new')])
    const first = answer('get', '/me', [401, { code: 'unauthenticated' }], [200, { id: 7 }])
    const second = answer('get', '/requests', [401, { code: 'unauthenticated' }], [200, { items: [] }])
    await Promise.all([http.get('/me'), http.get('/requests')])
    expect(renewals).toHaveLength(1)
    expect(renewals[0]?.headers.get('x-csrf-token')).toBe('double submit')
    expect([first, second].map((seen) => seen.at(-1)?.headers.get('authorization'))).toEqual([
      'Bearer new',
      'Bearer new',
    ])
  })

  it('asks the user to sign in when the session has ended, and repeats the call afterwards', async () => {
    signedIn()
    answer('post', '/token/refresh', [401, { code: 'session_ended' }])
    const seen = answer('post', '/requests', [401, { code: 'unauthenticated' }], [201, { id: 1 }])
    const expired = vi.fn(() => {
      setToken('again')
      return Promise.resolve(true)
    })
    watchSession({ expired, blocked: vi.fn(), changed: vi.fn() })
    expect((await http.post('/requests', { task_id: 3 })).status).toBe(201)
    expect(expired).toHaveBeenCalledOnce()
    expect(seen[1]?.body).toEqual({ task_id: 3 })
  })

  it('rejects with the error when the user does not sign in', async () => {
    signedIn()
    answer('post', '/token/refresh', [401, { code: 'session_ended' }])
    answer('get', '/me', [401, { code: 'unauthenticated' }])
    watchSession({ expired: () => Promise.resolve(false), blocked: vi.fn(), changed: vi.fn() })
    const failure = await http.get('/me').catch(toProblem)
    expect(failure).toMatchObject({ status: 401, code: 'unauthenticated' })
  })

  it('reports a blocked account at once', async () => {
    setToken('abc')
    answer('get', '/me', [403, { code: 'account_blocked' }])
    const blocked = vi.fn()
    watchSession({ expired: () => Promise.resolve(false), blocked, changed: vi.fn() })
    await http.get('/me').catch(() => undefined)
    expect(blocked).toHaveBeenCalledOnce()
  })

  it('reports a block during a file download and rejects with its code', async () => {
    setToken('abc')
    answer('get', '/exports/1/download', [
      403,
      { code: 'account_blocked' },
      { 'Content-Type': 'application/problem+json' },
    ])
    const blocked = vi.fn()
    watchSession({ expired: () => Promise.resolve(false), blocked, changed: vi.fn() })
    const failure = await http.get('/exports/1/download', { responseType: 'blob' }).catch(toProblem)
    expect(failure).toMatchObject({ status: 403, code: 'account_blocked' })
    expect(blocked).toHaveBeenCalledOnce()
  })

  it('asks for password confirmation where a call requires it, and repeats the call', async () => {
    signedIn()
    const renewals = answer('post', '/token/refresh', [200, tokens('new')])
    const seen = answer('patch', '/me', [401, { code: 'fresh_sign_in_needed' }], [200, { id: 7 }])
    const unproven = vi.fn(() => Promise.resolve(true))
    watchSession({ expired: () => Promise.resolve(false), blocked: vi.fn(), changed: vi.fn(), unproven })
    expect((await http.patch('/me', { email: 'new@example.org' })).status).toBe(200)
    expect([unproven.mock.calls.length, renewals.length]).toEqual([1, 0])
    expect(seen[1]?.body).toEqual({ email: 'new@example.org' })
  })

  it('asks for confirmation once, and rejects with the error when the user cancels', async () => {
    signedIn()
    answer('patch', '/me', [401, { code: 'fresh_sign_in_needed' }])
    const unproven = vi.fn(() => Promise.resolve(false))
    watchSession({ expired: () => Promise.resolve(false), blocked: vi.fn(), changed: vi.fn(), unproven })
    expect(await http.patch('/me', {}).catch(toProblem)).toMatchObject({ code: 'fresh_sign_in_needed' })
    expect(unproven).toHaveBeenCalledOnce()
  })

  it('does not renew for a wrong password', async () => {
    setToken(null)
    const renewals = answer('post', '/token/refresh', [200, tokens('new')])
    answer('post', '/check', [401, { code: 'invalid_credentials' }])
    await http.post('/check', {}).catch(() => undefined)
    expect(renewals).toHaveLength(0)
  })
})

/** A watch over account 7; `again` is who signs in when asked. */
function watched(again: number | null) {
  const changed = vi.fn(({ user, access_token }: { user: { id: number }; access_token: string }) => {
    actAs(user.id)
    setToken(access_token)
  })
  const expired = vi.fn(() => {
    if (again !== null) setToken('again')
    actAs(again)
    return Promise.resolve(again === 7)
  })
  watchSession({ expired, blocked: vi.fn(), changed })
  return { expired, changed }
}

describe('a call made as one account', () => {
  it('is not repeated as another account that signs in after the session ended', async () => {
    actAs(7)
    signedIn()
    answer('post', '/token/refresh', [401, { code: 'session_ended' }])
    const seen = answer('patch', '/me', [401, { code: 'unauthenticated' }], [200, { id: 8 }])
    watched(8)
    const failure: unknown = await http
      .patch('/me', { address: '12 Residency Road' })
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(AccountChanged)
    expect(toProblem(failure)).toMatchObject({ status: -1, code: 'account_changed' })
    expect(seen).toHaveLength(1)
  })

  it('is repeated when the same account signs in again', async () => {
    actAs(7)
    signedIn()
    answer('post', '/token/refresh', [401, { code: 'session_ended' }])
    const seen = answer('patch', '/me', [401, { code: 'unauthenticated' }], [200, { id: 7 }])
    watched(7)
    expect((await http.patch('/me', { address: 'x' })).data).toEqual({ id: 7 })
    expect(seen.map((one) => one.headers.get('authorization'))).toEqual(['Bearer old', 'Bearer again'])
  })

  it('is not repeated when another account has signed in in another tab', async () => {
    actAs(7)
    signedIn()
    answer('post', '/token/refresh', [200, { ...tokens('of eight'), user: { id: 8 } }])
    const seen = answer('post', '/requests', [401, { code: 'unauthenticated' }], [201, { id: 1 }])
    const { changed } = watched(null)
    await expect(http.post('/requests', {})).rejects.toThrow(AccountChanged)
    expect(changed).toHaveBeenCalledOnce()
    expect(getToken()).toBe('of eight')
    expect(seen).toHaveLength(1)
  })

  it('is not resolved after sign-out', async () => {
    actAs(7)
    setToken('old')
    let reply: () => void = () => undefined
    const asked = new Promise<void>((resolve) => {
      server.use(
        rest.get('*/me', async () => {
          resolve()
          await new Promise<void>((go) => (reply = go))
          return HttpResponse.json({ id: 7 })
        }),
      )
    })
    const late = http.get('/me')
    await asked
    actAs(null)
    setToken(null)
    reply()
    await expect(late).rejects.toThrow(AccountChanged)
  })

  it('waits while its user is asked to sign in, instead of going out without a token', async () => {
    actAs(7)
    setToken(null)
    const seen = answer('get', '/notifications', [200, { items: [] }])
    let signedInAgain: () => void = () => undefined
    const asked = new Promise<boolean>((resolve) => {
      signedInAgain = () => {
        setToken('again')
        resolve(true)
      }
    })
    watchSession({ expired: () => asked, blocked: vi.fn(), changed: vi.fn() })
    const held = http.get('/notifications')
    answer('post', '/check', [401, { code: 'invalid_credentials' }])
    expect(await http.post('/check', {}).catch(toProblem)).toMatchObject({ code: 'invalid_credentials' })
    expect(seen).toHaveLength(0)
    signedInAgain()
    await held
    expect(seen.map((one) => one.headers.get('authorization'))).toEqual(['Bearer again'])
  })

  it('renews the session of a user who was only assumed, and asks nobody while the server is unavailable', async () => {
    const expired = vi.fn(() => Promise.resolve(false))
    watchSession({ expired, blocked: () => undefined, changed: () => undefined, isUnknown: () => true })
    actAs(7)
    document.cookie = 'csrf_refresh_token=abc'
    const renewals = answer('post', '/token/refresh', [503], [200, tokens('new')])
    const seen = answer('get', '/me', [200])
    await expect(http.get('/me')).rejects.toMatchObject({ response: { status: 503 } })
    await http.get('/me')
    expect(seen.map((one) => one.headers.get('authorization'))).toEqual(['Bearer new'])
    expect([renewals.length, expired.mock.calls.length]).toEqual([2, 0])
  })

  it('does not ask to sign in for a sign-out call', async () => {
    actAs(7)
    signedIn()
    answer('post', '/token/refresh', [401, { code: 'session_ended' }])
    answer('post', '/logout', [401, { code: 'session_ended' }])
    const { expired } = watched(7)
    expect(await http.post('/logout').catch(toProblem)).toMatchObject({ status: 401 })
    expect(expired).not.toHaveBeenCalled()
  })

  it('made by a visitor gets its response even if a user signs in meanwhile', async () => {
    answer('get', '/search', [200, { items: [] }])
    const search = http.get('/search')
    actAs(7)
    expect((await search).status).toBe(200)
  })
})
