import { describe, expect, it } from 'vitest'
import { answer } from '@/shared/testing/server'
import { csrfToken, getToken, refreshSession, setToken, ShutOut } from './token'

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

  it('tells the end of a session from a server that is away', async () => {
    document.cookie = 'csrf_refresh_token=abc'
    answer('post', '/token/refresh', [401, { code: 'session_ended' }], [503, { code: 'unavailable' }])
    expect(await refreshSession()).toBeNull()
    await expect(refreshSession()).rejects.toThrow()
  })

  it('tells a block from the end of a session', async () => {
    document.cookie = 'csrf_refresh_token=abc'
    answer('post', '/token/refresh', [403, { code: 'account_blocked' }])
    await expect(refreshSession()).rejects.toThrow(ShutOut)
  })
})
