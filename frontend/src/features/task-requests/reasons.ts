/** Why a request is not for someone: what the API counts by, and the words that go with it. */
import type { RejectReason } from '@/shared/api/generated'
import type { TaskRequest } from '@/shared/api/types'

export const whys = ['none', 'time', 'far', 'kind', 'price'] as const
export type Why = (typeof whys)[number]

export const codes: Record<Why, NonNullable<RejectReason['reason_code']>> = {
  none: 'other',
  time: 'not_free',
  far: 'too_far',
  kind: 'not_my_work',
  price: 'other',
}

/** What most likely speaks against it, from what the server says does not fit; a tap on "not for me" says that much. */
export function likely(request: Pick<TaskRequest, 'warnings'>): Why {
  const warnings = request.warnings ?? []
  if (warnings.includes('task_not_done')) return 'kind'
  if (warnings.includes('not_free') || warnings.includes('outside_hours')) return 'time'
  return warnings.includes('out_of_area') ? 'far' : 'none'
}
