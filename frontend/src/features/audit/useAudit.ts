/** The audit trail: read, narrowed, never changed. */
import type { Entry } from '@/shared/api/generated'

/** What the trail tells of; an action that is not here yet is still shown, by its own name. */
export const actions = [
  'account_blocked',
  'account_unblocked',
  'admin_created',
  'admin_password_reset',
  'professional_approved',
  'professional_rejected',
  'photo_approved',
  'photo_rejected',
  'approval_expiry_set',
  'approval_expired',
  'task_created',
  'task_edited',
  'task_archived',
  'task_deleted',
  'task_policy_changed',
  'task_checklist_changed',
  'synonyms_created',
  'synonyms_edited',
  'synonyms_deleted',
  'review_hidden',
  'review_shown',
  'export_requested',
  'export_cancelled',
  'export_downloaded',
  'settings_changed',
  'job_run',
  'job_retried',
  'delivery_resent',
  'backup_restored',
  'person_viewed',
  'people_listed',
  'document_viewed',
  'request_viewed',
  'request_photos_viewed',
  'conversation_viewed',
  'conversation_report_settled',
  'requests_listed',
] as const

const pages: Record<string, (id: number) => string> = {
  task: () => '/admin/tasks',
  synonyms: () => '/admin/tasks/synonyms',
  export: () => '/admin/exports',
  job_run: () => '/admin/jobs',
  job: () => '/admin/jobs',
  delivery: (id) => `/admin/deliveries?open=${id}`,
  market: () => '/admin/settings',
  request: (id) => `/requests/${id}`,
  requests: () => '/admin/requests',
  customers: () => '/admin/customers',
  professionals: () => '/admin/professionals',
}

/** Where what an entry tells of is looked at; null where there is no such page. */
export function pageOf(entry: Pick<Entry, 'subject_kind' | 'subject_id'>): string | null {
  return pages[entry.subject_kind]?.(entry.subject_id ?? 0) ?? null
}
