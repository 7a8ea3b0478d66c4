/** The access token lives here, in memory only: a reload asks for a new one with the httpOnly cookie. */
import axios from 'axios'
import { toProblem } from './problem'
import type { SignIn } from './types'

/** The account was blocked: the session is over, and the person is to be told why. */
export class ShutOut extends Error {}

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

async function renew(csrf: string): Promise<SignIn | null> {
  try {
    const { data } = await axios.post<SignIn>('/token/refresh', {}, { headers: { 'X-CSRF-TOKEN': csrf }, timeout: 15_000 })
    setToken(data.access_token, data.expires_in)
    return data
  } catch (error) {
    if (toProblem(error).code === 'account_blocked') throw new ShutOut()
    const status = axios.isAxiosError(error) ? error.response?.status : undefined
    if (status === 401 || status === 403) return null
    throw error
  }
}

/** One renewal at a time, shared by every call that waits for it; null when the session is over. */
export function refreshSession(): Promise<SignIn | null> {
  const csrf = csrfToken()
  if (!csrf) return Promise.resolve(null)
  running ??= renew(csrf).finally(() => {
    running = null
  })
  return running
}

/** For what cannot be repeated after a refusal, as a call that outlives its page: a token that is good for some time yet. */
export async function renewAhead(seconds: number): Promise<void> {
  if (access && endsAt < Date.now() + seconds * 1000) await refreshSession().catch(() => undefined)
}
