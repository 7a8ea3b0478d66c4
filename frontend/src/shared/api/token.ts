/** The access token, in memory only: a reload asks for a new one with the httpOnly cookie. */
import { currentIdentity, type Identity } from './identity'
import type { SignIn } from './types'

/** The account was blocked: the session is over, and the user is told why. */
export class ShutOut extends Error {}

/** The browser's session belongs to another account than this tab: someone signed in elsewhere in this browser. */
export class OtherAccount extends Error {
  constructor(readonly signIn: SignIn) {
    super()
  }
}

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

/** Visitors have nothing to renew, and load nothing for it. */
const renewAs = async (asked: Identity): Promise<SignIn | null> => (await import('./renewal')).renew(asked)

/**
 * Renew the session, once for all calls that wait for it; null when it is over.
 *
 * Throws ShutOut for a blocked account, OtherAccount when the cookie is someone else's, AccountChanged when someone
 * signed in or out meanwhile.
 */
export function refreshSession(): Promise<SignIn | null> {
  if (!csrfToken()) return Promise.resolve(null)
  const asked = currentIdentity()
  running ??= renewAs(asked).finally(() => {
    running = null
  })
  return running
}

/** For what cannot be repeated after a refusal, as a call that outlives its page: a token that is good for some time yet. */
export async function renewAhead(seconds: number): Promise<void> {
  if (access && endsAt < Date.now() + seconds * 1000) await refreshSession().catch(() => undefined)
}
