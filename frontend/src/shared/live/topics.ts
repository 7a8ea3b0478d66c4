/** What an event says, and which cached responses it makes stale. The server's list is in docs/explanation/live-updates.md. */
import type { Tag } from '@/shared/api/invalidate'

export interface LiveEvent {
  topic: string
  /** Null when several objects of the topic changed. */
  id: number | null
  version: number | null
}

/** Everything that is shown may be out of date. */
export const resync = 'resync'
/** The user's own account, which is not a query but part of the session. */
export const account = 'account'

const tagsByTopic: Partial<Record<string, readonly Tag[]>> = {
  account: ['Accounts', 'Documents', 'Professionals', 'Profiles'],
  approvals: ['Professionals', 'Profiles', 'User administration', 'Dashboard'],
  // What an admin changes has an entry there. None of these records that it was read, which would go round in circles.
  audit: ['Audit trail', 'User administration', 'Professionals', 'Reviews', 'Settings', 'Search', 'Tasks'],
  audit_reads: ['Audit trail'],
  deliveries: ['Deliveries'],
  exports: ['Exports'],
  // Those who are kept come first among a task's professionals, and those who are excluded are left out.
  favourites: ['Favourites', 'Search'],
  jobs: ['Jobs'],
  messages: ['Conversations', 'Requests'],
  notifications: ['Notifications'],
  reports: ['Reports'],
  requests: ['Requests', 'Photos', 'Checklists', 'Schedule', 'Reviews', 'Dashboard'],
  schedule: ['Schedule'],
  sessions: ['Authentication'],
  tasks: ['Tasks', 'Search', 'Checklists', 'Settings'],
  users: ['User administration', 'Professionals', 'Dashboard'],
}

/** Tags of a topic; none for topics of a later version. */
export const tagsOf = (topic: string): readonly Tag[] => tagsByTopic[topic] ?? []

export function isLiveEvent(data: unknown): data is LiveEvent {
  return typeof data === 'object' && data !== null && 'topic' in data && typeof data.topic === 'string'
}
