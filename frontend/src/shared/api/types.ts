/** What the API speaks, by the contract's names. */
export type Role = 'customer' | 'professional' | 'admin'
export type Approval = 'document_missing' | 'pending' | 'approved' | 'rejected' | 'expired'

export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

export interface Account {
  id: number
  role: Role
  username: string
  email: string
  firstname: string
  lastname: string
  address: string
  pincode: string
  phone: string | null
  isactive: 0 | 1
  created_at: string
  exp?: number
  compname?: string
  task_ids?: number[]
  pincodes?: string[]
  radius_km?: number | null
  approval?: Approval
  rejection_reason?: string | null
}

export interface SignIn {
  access_token: string
  token_type: string
  expires_in: number
  role: Role
  user: Account
}

export interface Task {
  id: number
  name: string
  description: string
  category: string
  base_price: string
  currency: string
  time_required: number
  isactive: 0 | 1
  rating: number | string | null
  professionals: number
  reviews?: number
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

export interface Place {
  pincode: string
  locality: string
  district: string
  state: string
}

export type RequestStatus = 'requested' | 'accepted' | 'completed' | 'closed' | 'cancelled' | 'expired'

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
}

export interface HistoryEntry {
  at: string
  action: string
  actor_id: number | null
  actor_role: Role | 'system' | null
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
