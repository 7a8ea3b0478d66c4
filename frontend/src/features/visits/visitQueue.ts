/** A visit's actions, and ticks of its checklist, as their professional takes them: kept on the device until the server has answered, in their order. */
import {
  arriveRequest,
  completeRequest,
  onTheWayRequest,
  onTimeRequest,
  runningLateRequest,
  startRequest,
  tickRequestPoint,
} from '@/shared/api/generated'
import type { TaskRequest } from '@/shared/api/types'
import { refreshAnswers } from '@/shared/lib/data'
import { once } from '@/shared/lib/once'
import { add, follow, open, remove, retry, type Outcome } from '@/shared/offline/actionQueue'
import { unsentOf, type Unsent } from '@/shared/offline/unsent'
import { latestTime } from './visit'

function call({ request, key, action, minutes, code, point, done }: Unsent, time: number | null) {
  const at = time === null ? {} : { at: new Date(time).toISOString() }
  const to = { path: { request_id: request }, headers: { 'Idempotency-Key': key } as Record<string, string> }
  switch (action) {
    case 'on_time':
      return onTimeRequest({ ...to, body: at })
    case 'on_the_way':
      return onTheWayRequest({ ...to, body: { ...at, ...(minutes && { eta_minutes: minutes }) } })
    case 'running_late':
      return runningLateRequest({ ...to, body: { ...at, eta_minutes: minutes ?? 0 } })
    case 'arrive':
      return arriveRequest({ ...to, body: at })
    case 'start':
      return startRequest({ ...to, body: { ...at, ...(code && { code }) } })
    case 'complete':
      return completeRequest({ ...to, body: at })
    case 'tick':
      // Takes no key: repeating it changes nothing.
      return tickRequestPoint({
        path: { request_id: request, number: point ?? 0 },
        body: { ...at, done: done ?? true },
      })
  }
}

async function send(action: Unsent, at: number | null): Promise<string | null> {
  const { data } = await call(action, at)
  return 'items' in data ? null : latestTime(data)
}

const openQueue = once(() => Promise.resolve(open({ send, changed: refreshAnswers })))

/** Show and send what the account that is signed in has kept. */
export async function followVisitQueue(): Promise<void> {
  await openQueue()
  await follow()
}

export type VisitStep = Pick<Unsent, 'action' | 'minutes' | 'code' | 'point' | 'done'>

/** Take a step, or tick a point; throws the server's refusal. */
export async function takeStep(request: TaskRequest, step: VisitStep): Promise<Outcome> {
  await openQueue()
  // What is not sent yet has the times of this device's clock.
  const after = unsentOf(request.id).length ? null : latestTime(request)
  return add({ ...step, request: request.id, task: request.task_name, after })
}

/** Send a refused action once more, with another code if one is given. */
export const retryUnsent = (key: string, code?: string): Promise<void> => retry(key, code ? { code } : {})
export const dropUnsent = (key: string): Promise<void> => remove(key)
