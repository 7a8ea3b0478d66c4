/** The one axios instance: token in, one shared renewal on 401, and word to the session when it is over. */
import axios, { type AxiosError, type InternalAxiosRequestConfig } from 'axios'
import { readRefusal, toProblem } from './problem'
import { getToken, refreshSession, setToken, ShutOut } from './token'

interface Watch {
  /** Asks the person to sign in again; true when they did and the call may be repeated. */
  expired: () => Promise<boolean>
  blocked: () => void
}

let watch: Watch = { expired: () => Promise.resolve(false), blocked: () => undefined }

export function watchSession(next: Watch): void {
  watch = next
}

type Call = InternalAxiosRequestConfig & { sentWith?: string | null; repeated?: boolean }

/** For calls that carry a document: 5 MB take minutes on a slow line. */
export const uploadTimeout = 300_000

export const http = axios.create({
  timeout: 20_000,
  headers: { Accept: 'application/json' },
  paramsSerializer: { indexes: null },
})

http.interceptors.request.use((config: Call) => {
  config.sentWith = getToken()
  if (config.sentWith) config.headers.set('Authorization', `Bearer ${config.sentWith}`)
  return config
})

/** A token to repeat the call with: another call may have renewed it already. */
async function renewed(sentWith: string): Promise<boolean> {
  if (getToken() !== null && getToken() !== sentWith) return true
  try {
    if (await refreshSession()) return true
  } catch (error) {
    if (error instanceof ShutOut) watch.blocked()
    throw error
  }
  setToken(null)
  return watch.expired()
}

http.interceptors.response.use(undefined, async (error: AxiosError) => {
  const call = error.config as Call | undefined
  await readRefusal(error)
  if (error.response?.status === 401 && call?.sentWith && !call.repeated) {
    call.repeated = true
    if (await renewed(call.sentWith)) return http(call)
  }
  if (toProblem(error).code === 'account_blocked' && call?.sentWith) watch.blocked()
  throw error
})
