/** What the API speaks, under the names that the pages use. Made from openapi.json; nothing is described here twice. */
import type {
  Account,
  HistoryEntry,
  Hit,
  Notification,
  Notifications,
  UserAccount,
  Place,
  PublicProfile,
  Request,
  RequestDetail,
  RequestReview,
  Task,
  Tokens,
} from './generated'

export type { Account, HistoryEntry, Notification, UserAccount, Place, PublicProfile, Task }
export type Role = Account['role']
export type SignIn = Tokens
export type TaskHit = Hit
export type TaskRequest = Request
export type TaskRequestDetail = RequestDetail
export type Review = RequestReview
export type NotificationPage = Notifications

/** What a query hands to its call: broken off when nobody waits for the answer any more. */
export interface Signalled {
  signal: AbortSignal
}

/** One page of any list. */
export interface Page<T> {
  items: T[]
  next_cursor: string | null
}
