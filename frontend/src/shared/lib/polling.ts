/**
 * When a query asks again by itself, as functions for vue-query's `refetchInterval`: the poll then lives and ends with the
 * page that shows it, and rests while the tab is hidden. While live updates arrive nothing is polled but work that runs.
 */

import { isLive } from '@/shared/live/state'

/** What these functions read of a query. */
export interface Polled<D> {
  state: { data: D | undefined; dataUpdateCount: number; errorUpdateCount: number }
}

interface Pace {
  /** Successes and failures counted so far: the wait is chosen once for each. */
  successes: number
  failures: number
  /** Failures counted when the last success came. */
  failuresBefore: number
  fingerprint: string | null
  wait: number
}

const longestOutage = 60_000
/** For pages that live updates keep current: all of them poll at the same time when these are unavailable. */
export const withoutLive = 30_000
const firstWait = 1_000
const longestWait = 15_000

/** A wait up to a fifth shorter or longer, so that clients that lost the server together do not all come back at once. */
export function jittered(wait: number, random: () => number = Math.random): number {
  return Math.round(wait * (0.8 + random() * 0.4))
}

/**
 * Return how long to wait while live updates are unavailable: `interval` while the server answers, twice as long
 * after each failure in a row, a minute at most.
 */
export function pollEvery(
  interval: number,
  random?: () => number,
): (query: Polled<unknown>) => number | false {
  const paces = new WeakMap<Polled<unknown>, Pace>()
  return (query) => {
    if (isLive()) return false
    const { dataUpdateCount: successes, errorUpdateCount: failures } = query.state
    const known = paces.get(query)
    if (known?.successes === successes && known.failures === failures) return known.wait
    const failuresBefore = known?.successes === successes ? known.failuresBefore : failures
    const wait = jittered(
      Math.min(Math.max(interval, longestOutage), interval * 2 ** (failures - failuresBefore)),
      random,
    )
    paces.set(query, { successes, failures, failuresBefore, fingerprint: null, wait })
    return wait
  }
}

/**
 * Return how long to wait for work that runs elsewhere: a second while it moves, longer each time it does not, 15 seconds at most.
 *
 * @param fingerprintOf what the running work looks like as text; null when none runs.
 * @param idle milliseconds between polls while none runs; false for no polls.
 */
export function pollWhile<D>(
  fingerprintOf: (data: D) => string | null,
  idle: number | false = false,
): (query: Polled<D>) => number | false {
  const paces = new WeakMap<Polled<D>, Pace>()
  const whenIdle = idle === false ? () => false as const : pollEvery(idle)
  return (query) => {
    const { data, dataUpdateCount: successes, errorUpdateCount: failures } = query.state
    const fingerprint = data === undefined ? null : fingerprintOf(data)
    if (fingerprint === null) {
      paces.delete(query)
      return whenIdle(query)
    }
    if (isLive()) return longestWait
    const known = paces.get(query)
    if (known?.successes === successes && known.failures === failures) return known.wait
    const wait = known?.fingerprint === fingerprint ? Math.min(longestWait, known.wait * 1.5) : firstWait
    paces.set(query, { successes, failures, failuresBefore: failures, fingerprint, wait })
    return wait
  }
}
