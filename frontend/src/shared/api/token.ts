/** The access token, in memory only: a reload asks for a new one with the httpOnly cookie. */
import { AccountChanged, currentIdentity } from './identity'
import { toProblem } from './problem'
import type { SignIn } from './types'

/** The account was blocked: the session is over, and the user is told why. */
export class ShutOut extends Error {}

/** The browser's session belongs to another account than this tab: someone signed in elsewhere in this browser. */
export class OtherAccount extends Error {
  constructor(readonly signIn: SignIn) {
    super()
  }
}

/** Two tries fit into the 30 seconds in which the server accepts a refresh token that it has just replaced. */
const patience = 8_000
const lockPatience = 20_000

let access: string | null = null
let endsAt = 0
let running: Promise<SignIn | null> | null = null

export const getToken = (): string | null => access

export function setToken(token: string | null, seconds = 0): void {
  access = token
  endsAt = Date.now() + seconds * 1000
}

/** The readable half of the double-submit pair; without it there is no session to renew. */
export function csrfToken(): string | null {
  const found = /(?:^|;\s*)csrf_refresh_token=([^;]+)/.exec(document.cookie)
  return found?.[1] ? decodeURIComponent(found[1]) : null
}

/** After this no tab can renew the session, even if the server was not reached; the httpOnly cookie alone is refused. */
export function dropCsrfToken(): void {
  document.cookie = 'csrf_refresh_token=; path=/; max-age=0'
}

/** A lost answer may have replaced the cookie's token: the same question is asked once more at once. */
async function ask(tries: number): Promise<SignIn | null> {
  const csrf = csrfToken()
  if (!csrf) return null
  try {
    const { default: axios } = await import('axios')
    return (
      await axios.post<SignIn>('/token/refresh', {}, { headers: { 'X-CSRF-TOKEN': csrf }, timeout: patience })
    ).data
  } catch (error) {
    const { code, status } = toProblem(error)
    if (code === 'account_blocked') throw new ShutOut()
    if (status === 401 || status === 403) return null
    if (status === 0 && tries > 1) return ask(tries - 1)
    throw error
  }
}

/** One tab after another, so that each sends the newest cookie. Browsers offer locks over TLS and on localhost only. */
async function oneTabAtATime<T>(work: () => Promise<T>): Promise<T> {
  if (!('locks' in navigator)) return work()
  let started = false
  try {
    return await navigator.locks.request(
      'doorstep-refresh',
      { signal: AbortSignal.timeout(lockPatience) },
      () => {
        started = true
        return work()
      },
    )
  } catch (error) {
    // A tab that the system has stopped in mid-call must not hold up the others.
    if (started) throw error
    return work()
  }
}

async function renew(): Promise<SignIn | null> {
  const { account, epoch } = currentIdentity()
  const signIn = await oneTabAtATime(() => ask(2))
  if (currentIdentity().epoch !== epoch) throw new AccountChanged()
  if (!signIn) return null
  if (account !== null && signIn.user.id !== account) throw new OtherAccount(signIn)
  setToken(signIn.access_token, signIn.expires_in)
  return signIn
}

/**
 * Renew the session, once for all calls that wait for it; null when it is over.
 *
 * Throws ShutOut for a blocked account, OtherAccount when the cookie is someone else's, AccountChanged when someone
 * signed in or out meanwhile.
 */
export function refreshSession(): Promise<SignIn | null> {
  if (!csrfToken()) return Promise.resolve(null)
  running ??= renew().finally(() => {
    running = null
  })
  return running
}

/** For what cannot be repeated after a refusal, as a call that outlives its page: a token that is good for some time yet. */
export async function renewAhead(seconds: number): Promise<void> {
  if (access && endsAt < Date.now() + seconds * 1000) await refreshSession().catch(() => undefined)
}
