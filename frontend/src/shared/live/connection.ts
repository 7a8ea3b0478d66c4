/** One connection to GET /events after another, for as long as this tab holds the stream of its browser. */
import { getMe } from '@/shared/api/generated'
import { createSseClient } from '@/shared/api/generated/core/serverSentEvents.gen'
import { getToken, renewAhead } from '@/shared/api/token'
import { jittered } from '@/shared/lib/polling'
import { isLiveEvent, resync, type LiveEvent } from './topics'

const firstWait = 1_000
const longestWait = 60_000
/** The server sends a comment every 15 seconds; after three are missing the connection is dead. */
const silence = 50_000
/** A token that ends sooner is renewed first, so that the stream does not end at once. */
const usable = 30

interface Listener {
  hear: (event: LiveEvent) => void
  opened: () => void
  closed: () => void
}

interface Outcome {
  /** HTTP status; 0 when there was no response. */
  status: number
  retry: number
  lastId: string | undefined
}

/** Wait, or less long when the connection of the device comes back. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds)
    function done(): void {
      clearTimeout(timer)
      window.removeEventListener('online', done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    window.addEventListener('online', done)
    signal.addEventListener('abort', done)
  })
}

/** Read one stream to its end. */
async function readStream(
  lastId: string | undefined,
  { hear, opened, closed }: Listener,
  stop: AbortSignal,
): Promise<Outcome> {
  const outcome: Outcome = { status: 0, retry: firstWait, lastId }
  const dead = new AbortController()
  const signal = AbortSignal.any([stop, dead.signal])
  let watchdog: ReturnType<typeof setTimeout> | undefined
  const alive = (): void => {
    clearTimeout(watchdog)
    watchdog = setTimeout(() => dead.abort(), silence)
  }
  const { stream } = createSseClient<LiveEvent>({
    url: '/events',
    headers: {
      Accept: 'text/event-stream',
      Authorization: `Bearer ${getToken()}`,
      ...(lastId !== undefined && { 'Last-Event-ID': lastId }),
    },
    cache: 'no-store',
    signal,
    sseMaxRetryAttempts: 1,
    fetch: async (request) => {
      alive()
      const response = await fetch(request)
      outcome.status = response.status
      const seconds = Number(response.headers.get('Retry-After'))
      if (seconds > 0) outcome.retry = seconds * 1000
      if (response.ok) opened()
      return response
    },
    onSseEvent: ({ id, retry }) => {
      alive()
      outcome.lastId = id ?? outcome.lastId
      if (retry !== undefined) outcome.retry = retry
    },
  })
  try {
    for await (const event of stream as AsyncGenerator<unknown>) if (isLiveEvent(event)) hear(event)
  } finally {
    clearTimeout(watchdog)
    closed()
  }
  return outcome
}

/** Follow changes until the signal. What may have been missed between two streams the server names by `resync`. */
export async function follow(listener: Listener, stop: AbortSignal): Promise<void> {
  let lastId: string | undefined
  let failures = 0
  while (!stop.aborted) {
    await renewAhead(usable)
    if (stop.aborted) return
    const found = await readStream(lastId, listener, stop)
    if (found.status === 200) {
      failures = 0
      lastId = found.lastId
      await pause(found.retry, stop)
      continue
    }
    failures += 1
    // An ordinary call deals with whatever is wrong with the session: it renews it, asks to sign in, or reports a block.
    const refused = found.status === 401 || found.status === 403
    if (
      refused &&
      (await getMe().then(
        () => failures === 1,
        () => false,
      ))
    )
      continue
    const wait = Math.min(longestWait, firstWait * 2 ** (failures - 1))
    await pause(Math.max(jittered(wait), found.status === 503 ? found.retry : 0), stop)
  }
}

/** Said by a tab that could not listen for a while. */
export const missed: LiveEvent = { topic: resync, id: null, version: null }
