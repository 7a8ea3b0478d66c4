/**
 * The account that this tab acts as. Calls remember it, so that none is repeated as another account and no answer that
 * comes after a change of account reaches a page.
 */
import { KnownProblem } from './problem'

/** The tab acts as another account, or as none, since the call was made. */
export class AccountChanged extends KnownProblem {
  constructor() {
    super('account_changed')
  }
}

export interface Identity {
  /** The account's id; null for a visitor. */
  account: number | null
  /** Changes with every sign-in and sign-out, also when the same account comes back. */
  epoch: number
}

let identity: Identity = { account: null, epoch: 0 }

export const currentIdentity = (): Identity => identity

export function actAs(account: number | null): void {
  if (account !== identity.account) identity = { account, epoch: identity.epoch + 1 }
}

/** What a visitor asked for is nobody's: only what was asked as an account can come too late. */
export const isCurrent = (asked: Identity): boolean =>
  asked.account === null || asked.epoch === identity.epoch

export function assertCurrent(asked: Identity): void {
  if (!isCurrent(asked)) throw new AccountChanged()
}
