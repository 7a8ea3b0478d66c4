/** The call that renews the session, with the httpOnly cookie. */
import axios from 'axios'
import { noteServerDate } from '@/shared/lib/serverClock'
import { oneTabAtATime } from '@/shared/lib/tabLock'
import { AccountChanged, currentIdentity, type Identity } from './identity'
import { toProblem } from './problem'
import { csrfToken, OtherAccount, setToken, ShutOut } from './token'
import type { SignIn } from './types'

/** Two tries fit into the 30 seconds in which the server accepts a refresh token that it has just replaced. */
const patience = 8_000

/** A lost answer may have replaced the cookie's token: the same question is asked once more at once. */
async function ask(tries: number): Promise<SignIn | null> {
  const csrf = csrfToken()
  if (!csrf) return null
  try {
    const headers = { 'X-CSRF-TOKEN': csrf }
    const answer = await axios.post<SignIn>('/token/refresh', {}, { headers, timeout: patience })
    noteServerDate(answer.headers.date)
    return answer.data
  } catch (error) {
    const { code, status } = toProblem(error)
    if (code === 'account_blocked') throw new ShutOut()
    if (status === 401 || status === 403) return null
    if (status === 0 && tries > 1) return ask(tries - 1)
    throw error
  }
}

/** As `refreshSession` (token.ts), for the account that asked. */
export async function renew({ account, epoch }: Identity): Promise<SignIn | null> {
  const signIn = await oneTabAtATime('doorstep-refresh', () => ask(2))
  if (currentIdentity().epoch !== epoch) throw new AccountChanged()
  if (!signIn) return null
  if (account !== null && signIn.user.id !== account) throw new OtherAccount(signIn)
  setToken(signIn.access_token, signIn.expires_in)
  return signIn
}
