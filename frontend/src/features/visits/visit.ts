/** The steps of a visit: their order, what is next, and how long the last one can be undone. */
import type { TaskRequest, TaskRequestDetail } from '@/shared/api/types'

export const steps = ['on_the_way', 'arrive', 'start'] as const
export type Step = (typeof steps)[number]

/** What a timeline shows, of a request or of a shared visit. */
export type Times = Pick<TaskRequest, 'on_the_way_at' | 'arrived_at' | 'started_at' | 'eta_at'>

export const undoFor = 2 * 60_000
/** Minutes until the arrival that a professional can choose. */
export const minutesAhead: readonly number[] = [5, 10, 15, 20, 30, 45, 60, 90, 120]

export const visitIcons: Record<string, string> = {
  on_the_way: 'i-lucide-truck',
  running_late: 'i-lucide-timer',
  arrive: 'i-lucide-map-pin',
  start: 'i-lucide-play',
  undo_step: 'i-lucide-undo-2',
}

export function timeOf(times: Times, step: Step): string | null {
  return { on_the_way: times.on_the_way_at, arrive: times.arrived_at, start: times.started_at }[step]
}

/** The step that was taken last. */
export function lastStep(times: Times): Step | undefined {
  return steps.findLast((step) => Boolean(timeOf(times, step)))
}

/** The steps that may follow, the next one first. */
export function nextSteps(request: Pick<TaskRequest, 'visit_actions'>): Step[] {
  return steps.filter((step) => request.visit_actions.includes(step))
}

/** The estimate, as long as the professional has not arrived. */
export function expectedAt(times: Times): string | null {
  return times.arrived_at || times.started_at ? null : times.eta_at
}

/** When the last step can no longer be undone, in milliseconds since 1970; null if it cannot be undone now. */
export function undoableUntil(request: TaskRequestDetail): number | null {
  if (!request.visit_actions.includes('undo_step')) return null
  const taken = request.history.findLast((entry) => (steps as readonly string[]).includes(entry.action))
  return taken ? Date.parse(taken.at) + undoFor : null
}

export function hasVisit(request: TaskRequest): boolean {
  return request.status === 'accepted' || lastStep(request) !== undefined
}
