import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Account } from '@/shared/api/types'
import { getToken } from '@/shared/api/token'
import { useSession } from '@/shared/session/store'
import { announce, joinTabs, type SessionNews } from '@/shared/session/tabs'
import { i18n, setLanguage } from '@/shared/lib/i18n'
import { someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { loadData } from '@/shared/lib/data'
import { queryClient } from '@/shared/lib/queryClient'
import { router } from './router'
import { connectSession } from './session'

const signIn = (user: Account, access_token = `of ${user.id}`) => ({
  access_token,
  token_type: 'Bearer',
  expires_in: 900,
  role: user.role,
  user,
})
const [asha, ravi] = [someone('customer', { id: 7 }), someone('customer', { id: 8, firstname: 'Ravi' })]
const cookie = () => {
  document.cookie = 'csrf_refresh_token=abc'
}
/** Waits until everything that is under way has been delivered, news between tabs included. */
async function delivered(): Promise<void> {
  const heard = vi.fn()
  const listener = new BroadcastChannel('after-the-others')
  listener.addEventListener('message', heard)
  const sender = new BroadcastChannel('after-the-others')
  sender.postMessage('')
  await vi.waitUntil(() => heard.mock.calls.length > 0)
  listener.close()
  sender.close()
}

let other: BroadcastChannel
let heard: unknown[]
let disconnect: () => void
const tell = (news: SessionNews) => other.postMessage(news)

describe('connectSession', () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    other = new BroadcastChannel('doorstep-session')
    heard = []
    other.addEventListener('message', ({ data }: MessageEvent<unknown>) => heard.push(data))
    vi.spyOn(router, 'push').mockResolvedValue(undefined)
    vi.spyOn(router, 'replace').mockResolvedValue(undefined)
    disconnect = connectSession()
  })
  afterEach(() => {
    disconnect()
    other.close()
    vi.restoreAllMocks()
  })

  it("takes the account's language on a new device", async () => {
    document.cookie = 'doorstep-language=; max-age=0; path=/'
    useSession().adopt(signIn({ ...asha, language: 'hi' }))
    await until(() => document.documentElement.lang === 'hi', 'the language')
    expect(i18n.global.locale.value).toBe('hi')
    await setLanguage('en')
  })

  it('keeps the language that was chosen on this device', async () => {
    await setLanguage('en')
    useSession().adopt(signIn({ ...asha, language: 'hi' }))
    await delivered()
    expect(i18n.global.locale.value).toBe('en')
  })

  it("saves the page's language for an account without one", async () => {
    const session = useSession()
    const saved = answer('patch', '/me', [200, { ...asha, language: 'en' }])
    session.adopt(signIn({ ...asha, language: null }))
    await until(() => session.user?.language === 'en', 'the saved language')
    expect(saved.map((one) => one.body)).toEqual([{ language: 'en' }])
  })

  it('signs out with the other tabs, and does not pass it on', async () => {
    const session = useSession()
    session.adopt(signIn(asha))
    tell({ kind: 'signed-out', account: 7 })
    await until(() => !session.signedIn, 'the end')
    expect(router.push).toHaveBeenCalledWith('/sign-in')
    await delivered()
    expect(heard).toEqual([])
  })

  it('ignores a sign-out of the previous account after another account signed in', async () => {
    cookie()
    answer('post', '/token/refresh', [200, signIn(ravi)])
    const session = useSession()
    session.adopt(signIn(asha))
    tell({ kind: 'signed-out', account: 7 })
    await until(() => session.user?.id === 8, 'the other account')
    expect(getToken()).toBe('of 8')
    await delivered()
    expect(heard).toEqual([])
    tell({ kind: 'signed-out', account: 7 })
    await delivered()
    expect(session.user?.id).toBe(8)
  })

  it('follows a sign-in in another tab, as a visitor and as another account', async () => {
    cookie()
    answer('post', '/token/refresh', [200, signIn(asha)], [200, signIn(ravi)])
    const session = useSession()
    tell({ kind: 'signed-in', account: 7 })
    await until(() => session.user?.id === 7, 'the first')
    await loadData()
    queryClient.setQueryData(['requests', 'list'], 'of the first')
    tell({ kind: 'signed-in', account: 8 })
    await until(() => session.user?.id === 8, 'the second')
    expect(queryClient.getQueryData(['requests', 'list'])).toBeUndefined()
    await delivered()
    expect(heard).toEqual([])
  })

  it('closes the sign-in dialog when the same account signs in in another tab', async () => {
    cookie()
    answer('post', '/token/refresh', [200, signIn(asha, 'fresh')])
    const session = useSession()
    session.adopt(signIn(asha))
    const asked = session.askAgain()
    tell({ kind: 'signed-in', account: 7 })
    expect(await asked).toBe(true)
    expect(getToken()).toBe('fresh')
  })

  it('refreshes the token only in a visible tab', async () => {
    cookie()
    const seen = answer('post', '/token/refresh', [200, signIn(asha)])
    const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true)
    tell({ kind: 'signed-in', account: 7 })
    await delivered()
    expect(seen).toHaveLength(0)
    hidden.mockReturnValue(false)
    document.dispatchEvent(new Event('visibilitychange'))
    await until(() => useSession().signedIn, 'the session')
  })

  it('tells the other tabs of its own sign-in and sign-out', async () => {
    answer('post', '/check', [200, signIn(asha)])
    answer('post', '/logout', [204])
    const session = useSession()
    await session.signIn({ username: 'asha', password: 'x' })
    await session.signOut()
    await until(() => heard.length === 2, 'the news')
    expect(heard).toEqual([
      { kind: 'signed-in', account: 7 },
      { kind: 'signed-out', account: 7 },
    ])
  })

  it('keeps the user signed in while the server is unavailable', async () => {
    cookie()
    answer('post', '/token/refresh', [503], [503], [200, signIn(asha)])
    const session = useSession()
    await session.restore()
    expect([session.signedIn, session.unknown]).toEqual([false, true])
    window.dispatchEvent(new Event('online'))
    await until(() => session.signedIn, 'the session')
    expect(router.replace).toHaveBeenCalledWith(expect.objectContaining({ force: true }))
    expect(session.unknown).toBe(false)
  })

  it("looks again at a page that comes back out of the browser's memory", async () => {
    const session = useSession()
    session.adopt(signIn(asha))
    window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }))
    await until(() => !session.signedIn, 'the end')
  })
})

it('ignores malformed messages', async () => {
  const news = vi.fn()
  const end = joinTabs(news)
  const sender = new BroadcastChannel('doorstep-session')
  for (const odd of ['signed-out', null, { kind: 'signed-out' }, { kind: 'other', account: 7 }])
    sender.postMessage(odd)
  sender.postMessage({ kind: 'signed-in', account: 7 })
  await vi.waitUntil(() => news.mock.calls.length > 0)
  expect(news.mock.calls).toEqual([[{ kind: 'signed-in', account: 7 }]])
  end()
  sender.close()
  expect(() => announce({ kind: 'signed-in', account: 7 })).not.toThrow()
})
