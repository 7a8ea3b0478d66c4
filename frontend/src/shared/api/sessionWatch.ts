/** What the calls tell the session, and ask of it; apart from http.ts, which is loaded with the first call. */
import type { SignIn } from './types'

export interface SessionWatch {
  /** Asks the user to sign in again; true when the same account did and the call may be sent. */
  expired: () => Promise<boolean>
  blocked: () => void
  /** True while the user was only assumed, because the server could not be asked. */
  isUnknown?: () => boolean
  /** The browser's session turned out to be another account's. */
  changed: (signIn: SignIn) => void
  /** Asks for the password once more; true when it was right and the call may be repeated. */
  unproven?: () => Promise<boolean>
}

let session: SessionWatch = {
  expired: () => Promise.resolve(false),
  blocked: () => undefined,
  changed: () => undefined,
}

export function watchSession(next: SessionWatch): void {
  session = next
}
export const watching = (): SessionWatch => session
