/** The one axios instance: token in, one shared renewal on 401, and word to the session when it is over. */
import axios, { type AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios'
import { i18n } from '@/shared/lib/i18n'
import { noteServerDate } from '@/shared/lib/serverClock'
import { AccountChanged, assertCurrent, currentIdentity, type Identity } from './identity'
import { readRefusal, toProblem } from './problem'
import { watching } from './sessionWatch'
import { getToken, OtherAccount, refreshSession, setToken, ShutOut } from './token'

type Call = InternalAxiosRequestConfig & {
  sentWith?: string | null
  sentAs?: Identity
  repeated?: boolean
  proven?: boolean
}

/** Authenticates: needs no session, and its response is valid for any previously signed-in account. */
const signsIn = /^\/(check|password)(\/|$)/
/** Nobody is asked to sign in for signing out. */
const signsOut = '/logout'

export const http = axios.create({
  timeout: 20_000,
  headers: { Accept: 'application/json' },
  paramsSerializer: { indexes: null },
})

http.interceptors.request.use(async (config: Call) => {
  // The page's language, which may be another one than the browser's.
  config.headers.set('Accept-Language', i18n.global.locale.value)
  if (signsIn.test(config.url ?? '')) return config
  config.sentAs ??= currentIdentity()
  assertCurrent(config.sentAs)
  // While the user is asked to sign in again, nothing goes out without a token: it waits for the answer.
  if (
    config.sentAs.account !== null &&
    getToken() === null &&
    config.url !== signsOut &&
    !(await hasToken(config))
  )
    throw new AccountChanged()
  assertCurrent(config.sentAs)
  config.sentWith = getToken()
  if (config.sentWith) config.headers.set('Authorization', `Bearer ${config.sentWith}`)
  return config
})

/** True when there is a token to send a first call with. */
function hasToken(call: Call): Promise<boolean> {
  if (!watching().isUnknown?.()) return watching().expired()
  call.sentWith = null
  return renewed(call)
}

/** True when there is a token to repeat the call with. */
async function renewed(call: Call): Promise<boolean> {
  if (getToken() === call.sentWith) {
    try {
      if (await refreshSession()) return true
    } catch (error) {
      if (error instanceof ShutOut) watching().blocked()
      else if (error instanceof OtherAccount) watching().changed(error.signIn)
      else throw error
      throw new AccountChanged()
    }
    assertStillAs(call)
    if (getToken() === call.sentWith) setToken(null)
  }
  if (getToken() !== null) return true
  return call.url !== signsOut && watching().expired()
}

function assertStillAs({ sentAs }: Call): void {
  if (sentAs) assertCurrent(sentAs)
}

http.interceptors.response.use(
  (response: AxiosResponse) => {
    noteServerDate(response.headers.date)
    assertStillAs(response.config as Call)
    return response
  },
  async (error: AxiosError) => {
    const call = error.config as Call | undefined
    await readRefusal(error)
    if (call) assertStillAs(call)
    const { unproven } = watching()
    if (toProblem(error).code === 'fresh_sign_in_needed' && call && !call.proven && unproven) {
      call.proven = true
      if (await unproven()) return http(call)
      throw error
    }
    if (error.response?.status === 401 && call?.sentWith && !call.repeated) {
      call.repeated = true
      if (await renewed(call)) return http(call)
      assertStillAs(call)
    }
    if (toProblem(error).code === 'account_blocked' && call?.sentWith) watching().blocked()
    throw error
  },
)
