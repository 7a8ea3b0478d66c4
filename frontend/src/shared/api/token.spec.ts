import { http, HttpResponse } from 'msw'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { answer, server } from '@/shared/testing/server'
import { AccountChanged, actAs } from './identity'
import { csrfToken, getToken, OtherAccount, refreshSession, setToken, ShutOut } from './token'

const tokens = (access_token: string, id = 7) => ({
  access_token,
  token_type: 'Bearer',
  expires_in: 900,
  role: 'customer',
  user: { id },
})
afterEach(() => vi.unstubAllGlobals())

describe('refreshSession', () => {
  it('does not call when the readable cookie is missing', async () => {
    const seen = answer('post', '/token/refresh', [200])
    expect(await refreshSession()).toBeNull()
    expect(seen).toHaveLength(0)
  })

  it('reads the cookie among others and keeps the new token in memory', async () => {
    setToken(null)
    document.cookie = 'other=1'
    document.cookie = 'csrf_refresh_token=abc'
    answer('post', '/token/refresh', [200, { access_token: 'fresh' }])
    expect(csrfToken()).toBe('abc')
    await refreshSession()
    expect(getToken()).toBe('fresh')
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain('fresh')
  })

  it('distinguishes an ended session from an unavailable server', async () => {
    document.cookie = 'csrf_refresh_token=abc'
    answer('post', '/token/refresh', [401, { code: 'session_ended' }], [503, { code: 'unavailable' }])
    expect(await refreshSession()).toBeNull()
    await expect(refreshSession()).rejects.toThrow()
  })

  it('distinguishes a block from an ended session', async () => {
    document.cookie = 'csrf_refresh_token=abc'
    answer('post', '/token/refresh', [403, { code: 'account_blocked' }])
    await expect(refreshSession()).rejects.toThrow(ShutOut)
  })

  it('retries once at once after a lost response', async () => {
    document.cookie = 'csrf_refresh_token=abc'
    let lost = 1
    const seen = vi.fn(() => (lost-- > 0 ? HttpResponse.error() : HttpResponse.json(tokens('second'))))
    server.use(http.post('*/token/refresh', seen))
    expect((await refreshSession())?.access_token).toBe('second')
    expect(seen).toHaveBeenCalledTimes(2)
    lost = 9
    await expect(refreshSession()).rejects.toThrow()
    expect(seen).toHaveBeenCalledTimes(4)
  })

  it('does not give a tab the token of another account', async () => {
    document.cookie = 'csrf_refresh_token=abc'
    actAs(7)
    setToken('of seven')
    answer('post', '/token/refresh', [200, tokens('of eight', 8)])
    const failure: unknown = await refreshSession().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(OtherAccount)
    expect((failure as OtherAccount).signIn.user.id).toBe(8)
    expect(getToken()).toBe('of seven')
  })

  it('does not restore a session that was signed out meanwhile', async () => {
    document.cookie = 'csrf_refresh_token=abc'
    actAs(7)
    answer('post', '/token/refresh', [200, tokens('too late')])
    const late = refreshSession()
    actAs(null)
    setToken(null)
    await expect(late).rejects.toThrow(AccountChanged)
    expect(getToken()).toBeNull()
  })

  it('refreshes one tab at a time, with a time limit for one that hangs', async () => {
    document.cookie = 'csrf_refresh_token=abc'
    const seen = answer('post', '/token/refresh', [200, tokens('fresh')])
    const request = vi.fn((_: string, __: object, work: () => Promise<unknown>) => work())
    vi.stubGlobal('navigator', { ...navigator, locks: { request } })
    await refreshSession()
    expect(request).toHaveBeenCalledWith(
      'doorstep-refresh',
      { signal: expect.any(AbortSignal) as unknown },
      expect.any(Function),
    )
    request.mockRejectedValueOnce(new DOMException('waited too long', 'TimeoutError'))
    await refreshSession()
    expect(seen).toHaveLength(2)
  })
})
