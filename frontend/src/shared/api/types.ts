/** What the API speaks, by the contract's names. */
import type { Account, Place, Task, Tokens } from './generated'

export type { Account, Place, Task }
export type Role = Account['role']
export type SignIn = Tokens

export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

export interface TaskHit extends Task {
  nearest_km: number | null
}

export interface PublicProfile {
  id: number
  firstname: string
  compname: string
  exp: number
  rating: number | string | null
  reviews: number
  distance_km: number | null
}

export type RequestStatus = 'requested' | 'accepted' | 'completed' | 'closed' | 'cancelled' | 'expired'

export interface Contact {
  id: number
  firstname: string
  lastname?: string
  compname?: string
  phone: string | null
}

export interface TaskRequest {
  id: number
  task_id: number
  task_name: string
  customer_id: number | null
  professional_id: number | null
  asked_professional_id: number | null
  status: RequestStatus
  date_of_request: string
  price: string
  currency: string
  time_required: number
  address: string | null
  pincode: string
  remarks: string | null
  closing_remarks: string | null
  created_at: string
  accepted_at: string | null
  completed_at: string | null
  closed_at: string | null
  allowed_actions: string[]
  /** Who asked, once accepted; who comes, for the customer. */
  customer?: Contact | null
  professional?: Contact | null
  distance_km?: number | null
  warnings?: string[]
}

export interface HistoryEntry {
  at: string
  action: string
  actor_id: number | null
  actor_role: string | null
  from: RequestStatus | null
  to: RequestStatus
  note: string | null
}

export interface Review {
  rating: number
  comment: string | null
  created_at: string
  reply: string | null
}

export interface TaskRequestDetail extends TaskRequest {
  history: HistoryEntry[]
  review: Review | null
}

export interface Notification {
  id: number
  kind: string
  title: string
  body: string
  request_id: number | null
  read: boolean
  created_at: string
}

export interface NotificationPage extends Page<Notification> {
  unread_count: number
}
