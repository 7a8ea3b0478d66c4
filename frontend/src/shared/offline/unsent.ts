/** What this device has not sent yet of a visit, for pages to show. Kept, and sent, by `actionQueue`, which is loaded when it is needed. */
import { shallowReactive } from 'vue'
import type { Problem } from '@/shared/api/problem'

export type QueuedAction =
  'on_time' | 'on_the_way' | 'running_late' | 'arrive' | 'start' | 'complete' | 'tick'

/** One action: what was done, and when. */
export interface Unsent {
  /** Its Idempotency-Key: however often it is sent, it counts once. */
  key: string
  account: number
  request: number
  /** The name of the request's task, for messages. */
  task: string
  action: QueuedAction
  minutes?: number
  code?: string
  /** The number of a point of the checklist, and whether it is done. */
  point?: number
  done?: boolean
  /** When it was done, by the clock of this device, in milliseconds since 1970. */
  at: number
  /** The server's time of what came before it, which it cannot precede. */
  after: string | null
  /** Why the server refused it. What was done later about the same request waits behind it. */
  refused?: Problem | undefined
}

export const unsent = shallowReactive({
  /** Of the account that is signed in, in their order. An action that is being sent for the first time is not among them. */
  items: [] as readonly Unsent[],
})

export const unsentOf = (request: number): readonly Unsent[] =>
  unsent.items.filter((one) => one.request === request)

/** The key of the words for an action: a point of a checklist is ticked or unticked. */
export const wordOf = ({ action, done }: Unsent) => (action === 'tick' && !done ? 'untick' : action)
