/** The steps of a visit: their order, what is next, and how long the last one can be undone. */
import type { TaskRequest, TaskRequestDetail } from '@/shared/api/types'
import type { Unsent } from '@/shared/offline/unsent'

export const steps = ['on_the_way', 'arrive', 'start'] as const
export type Step = (typeof steps)[number]

/** What a timeline shows, of a request or of a shared visit. */
export type Times = Pick<TaskRequest, 'on_the_way_at' | 'arrived_at' | 'started_at' | 'eta_at' | 'on_time_at'>

export const undoFor = 2 * 60_000
/** Minutes until the arrival that a professional can choose. */
export const minutesAhead: readonly number[] = [5, 10, 15, 20, 30, 45, 60, 90, 120]

export const visitIcons: Record<string, string> = {
  on_time: 'i-lucide-calendar-check',
  on_the_way: 'i-lucide-truck',
  running_late: 'i-lucide-timer',
  arrive: 'i-lucide-map-pin',
  start: 'i-lucide-play',
  undo_step: 'i-lucide-undo-2',
  tick: 'i-lucide-list-checks',
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

/** When the professional confirmed to come as planned, as long as nothing has happened since. */
export function confirmedAt(times: Times): string | null {
  return lastStep(times) ? null : times.on_time_at
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

type Timed = Pick<TaskRequest, 'accepted_at' | 'on_the_way_at' | 'arrived_at' | 'started_at'>

/** The time of what was recorded last, which a further step cannot precede. */
export function latestTime({ accepted_at, on_the_way_at, arrived_at, started_at }: Timed): string | null {
  return started_at ?? arrived_at ?? on_the_way_at ?? accepted_at
}

/** What happens to the times of a request by an action that the server does not know of yet. */
function timesAfter(request: TaskRequest, { action, at, minutes }: Unsent): Partial<TaskRequest> {
  const time = new Date(at).toISOString()
  const eta = minutes ? { eta_at: new Date(at + minutes * 60_000).toISOString() } : {}
  switch (action) {
    case 'on_time':
      return { on_time_at: request.on_time_at ?? time, eta_at: null }
    case 'on_the_way':
      return { on_the_way_at: request.on_the_way_at ?? time, ...eta }
    case 'running_late':
      return { on_time_at: null, ...eta }
    case 'arrive':
      return { arrived_at: request.arrived_at ?? time }
    case 'start':
      return { started_at: request.started_at ?? time }
    case 'complete':
      return { completed_at: time }
    case 'tick':
      return {}
  }
}

/** What may follow, where the server cannot say it yet. Behind a refused action nothing may. */
function actionsAfter(request: TaskRequest, isStopped: boolean): Partial<TaskRequest> {
  const isDone = isStopped || request.completed_at !== null
  const last = lastStep(request)
  const later = last ? steps.slice(steps.indexOf(last) + 1) : steps
  const mayComplete = !isDone && (request.allowed_actions.includes('complete') || request.started_at !== null)
  const others = request.allowed_actions.filter((action) => action !== 'complete')
  return {
    visit_actions: isDone
      ? []
      : request.visit_actions.filter(
          (action) =>
            (later as string[]).includes(action) ||
            (action === 'on_time' && !last) ||
            (action === 'running_late' && !request.arrived_at && !request.started_at),
        ),
    allowed_actions: [...(isDone ? [] : others), ...(mayComplete ? (['complete'] as const) : [])],
  }
}

/** The request as it will be once the server has what this device has not sent yet. */
export function withUnsent<Request extends TaskRequest>(request: Request, items: readonly Unsent[]): Request {
  // A tick changes the checklist only; one that was refused stops what follows, as anything else does.
  const all = items.filter(({ action, refused }) => action !== 'tick' || refused)
  if (!all.length || request.status !== 'accepted') return request
  const stop = all.findIndex(({ refused }) => refused)
  const taken = stop < 0 ? all : all.slice(0, stop)
  const after = taken.reduce((seen, one) => ({ ...seen, ...timesAfter(seen, one) }), request)
  return { ...after, ...actionsAfter(after, stop >= 0) }
}
