import { describe, expect, it, vi } from 'vitest'
import { answer } from '@/shared/testing/server'
import { http, watchSession } from './http'
import { toProblem } from './problem'
import { setToken } from './token'

const tokens = (access_token: string) => ({ access_token, token_type: 'Bearer', expires_in: 900, role: 'customer', user: { id: 7 } })

function signedIn(): void {
  setToken('old')
  document.cookie = 'csrf_refresh_token=double%20submit'
}

describe('http', () => {
  it('sends the token it has, and none when it has none', async () => {
    setToken(null)
    const seen = answer('get', '/tasks', [200])
    await http.get('/tasks')
    setToken('abc')
    await http.get('/tasks')
    expect(seen.map((one) => one.headers.get('authorization'))).toEqual([null, 'Bearer abc'])
  })

  it('renews the session once for many calls and repeats each of them', async () => {
    signedIn()
    const renewals = answer('post', '/token/refresh', [200, tokens('new')])
    const first = answer('get', '/me', [401, { code: 'unauthenticated' }], [200, { id: 7 }])
    const second = answer('get', '/requests', [401, { code: 'unauthenticated' }], [200, { items: [] }])
    await Promise.all([http.get('/me'), http.get('/requests')])
    expect(renewals).toHaveLength(1)
    expect(renewals[0]?.headers.get('x-csrf-token')).toBe('double submit')
    expect([first, second].map((seen) => seen.at(-1)?.headers.get('authorization'))).toEqual(['Bearer new', 'Bearer new'])
  })

  it('asks the person when the session is over, and goes on with the call after they signed in', async () => {
    signedIn()
    answer('post', '/token/refresh', [401, { code: 'session_ended' }])
    const seen = answer('post', '/requests', [401, { code: 'unauthenticated' }], [201, { id: 1 }])
    const expired = vi.fn(() => {
      setToken('again')
      return Promise.resolve(true)
    })
    watchSession({ expired, blocked: vi.fn() })
    expect((await http.post('/requests', { task_id: 3 })).status).toBe(201)
    expect(expired).toHaveBeenCalledOnce()
    expect(seen[1]?.body).toEqual({ task_id: 3 })
  })

  it('gives the failure on when they did not', async () => {
    signedIn()
    answer('post', '/token/refresh', [401, { code: 'session_ended' }])
    answer('get', '/me', [401, { code: 'unauthenticated' }])
    watchSession({ expired: () => Promise.resolve(false), blocked: vi.fn() })
    const failure = await http.get('/me').catch(toProblem)
    expect(failure).toMatchObject({ status: 401, code: 'unauthenticated' })
  })

  it('says at once that an account was blocked', async () => {
    setToken('abc')
    answer('get', '/me', [403, { code: 'account_blocked' }])
    const blocked = vi.fn()
    watchSession({ expired: () => Promise.resolve(false), blocked })
    await http.get('/me').catch(() => undefined)
    expect(blocked).toHaveBeenCalledOnce()
  })

  it('hears of a block while a file is fetched, and gives its refusal on with its code', async () => {
    setToken('abc')
    answer('get', '/exports/1/download', [403, { code: 'account_blocked' }, { 'Content-Type': 'application/problem+json' }])
    const blocked = vi.fn()
    watchSession({ expired: () => Promise.resolve(false), blocked })
    const failure = await http.get('/exports/1/download', { responseType: 'blob' }).catch(toProblem)
    expect(failure).toMatchObject({ status: 403, code: 'account_blocked' })
    expect(blocked).toHaveBeenCalledOnce()
  })

  it('does not renew for a wrong password', async () => {
    setToken(null)
    const renewals = answer('post', '/token/refresh', [200, tokens('new')])
    answer('post', '/check', [401, { code: 'invalid_credentials' }])
    await http.post('/check', {}).catch(() => undefined)
    expect(renewals).toHaveLength(0)
  })
})
