import { defineComponent, h } from 'vue'
import { describe, expect, it, vi } from 'vitest'
import { http } from '@/shared/api/http'
import type { TaskRequest } from '@/shared/api/types'
import { actAs } from '@/shared/api/identity'
import { getToken, setToken } from '@/shared/api/token'
import { useSession } from '@/shared/session/store'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { useReject } from './useReject'

const request = { id: 3, task_name: 'Tap repair', warnings: ['out_of_area'] } as unknown as TaskRequest
const page = defineComponent({
  setup() {
    const { reject, hidden } = useReject()
    return () => h('button', { id: 'go', onClick: () => reject(request) }, hidden.has(3) ? 'hidden' : 'shown')
  },
})
const go = () => document.querySelector<HTMLButtonElement>('#go')
const undo = () => [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === 'Undo')
const words = { reason: 'Too far away', reason_code: 'too_far' }

describe('useReject', () => {
  it('is sent after the time to undo, with the reason', async () => {
    const seen = answer('post', '/requests/3/reject', [200, request])
    await show(page, { user: someone('professional') })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    go()?.click()
    await vi.advanceTimersByTimeAsync(5_900)
    expect(seen).toHaveLength(0)
    expect(go()?.textContent).toBe('hidden')
    await vi.advanceTimersByTimeAsync(200)
    vi.useRealTimers()
    await until(() => seen.length === 1, 'the call')
    expect(seen[0]?.body).toEqual(words)
  })

  it('is undone without a call', async () => {
    const seen = answer('post', '/requests/3/reject', [200, request])
    const { wrapper } = await show(page, { user: someone('professional') })
    go()?.click()
    await until(() => Boolean(undo()), 'the way back')
    undo()?.click()
    await until(() => go()?.textContent === 'shown', 'the row')
    wrapper.unmount()
    expect(seen).toHaveLength(0)
  })

  it('is sent at once when the page is left, also when the tab is closed', async () => {
    const seen = answer('post', '/requests/3/reject', [200, request])
    const first = await show(page, { user: someone('professional') })
    go()?.click()
    first.wrapper.unmount()
    await until(() => seen.length === 1, 'the call on leaving')
    await show(page, { user: someone('professional') })
    const sent = vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response())
    go()?.click()
    window.dispatchEvent(new Event('pagehide'))
    expect(sent).toHaveBeenCalledWith(
      '/requests/3/reject',
      expect.objectContaining({ keepalive: true, body: JSON.stringify(words) }),
    )
    sent.mockRestore()
  })

  it('is sent before its user signs out, and never by the next one', async () => {
    const seen = answer('post', '/requests/3/reject', [200, request])
    const left = answer('post', '/logout', [204])
    actAs(7)
    setToken('of seven', 900)
    const first = await show(page, { user: someone('professional') })
    go()?.click()
    await useSession().signOut()
    expect([seen.length, left.length]).toEqual([1, 1])
    first.wrapper.unmount()

    actAs(7)
    setToken('of seven', 900)
    const second = await show(page, { user: someone('professional') })
    go()?.click()
    actAs(8)
    setToken('of eight', 900)
    const sent = vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response())
    window.dispatchEvent(new Event('pagehide'))
    second.wrapper.unmount()
    expect(sent).not.toHaveBeenCalled()
    sent.mockRestore()
    answer('get', '/requests', [200, {}])
    await http.get('/requests')
    expect(seen).toHaveLength(1)
  })

  it('is sent on tab close with a token that is about to expire', async () => {
    const token = (access_token: string) => ({
      access_token,
      token_type: 'Bearer',
      expires_in: 900,
      role: 'professional',
      user: { id: 7 },
    })
    const renewals = answer('post', '/token/refresh', [200, token('new')])
    setToken('old', 3)
    document.cookie = 'csrf_refresh_token=double%20submit'
    await show(page, { user: someone('professional') })
    go()?.click()
    await until(() => getToken() === 'new', 'the renewal')
    const sent = vi.spyOn(globalThis, 'fetch').mockResolvedValue(new Response())
    window.dispatchEvent(new Event('pagehide'))
    expect(sent).toHaveBeenCalledWith(
      '/requests/3/reject',
      expect.objectContaining({
        headers: expect.objectContaining({ Authorization: 'Bearer new' }) as unknown,
      }),
    )
    expect(renewals).toHaveLength(1)
    sent.mockRestore()
    setToken(null)
  })
})
