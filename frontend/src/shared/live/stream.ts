/**
 * Live updates of the account that is signed in. One tab of the browser holds the stream (Web Locks) and passes events on
 * to the others (BroadcastChannel). Both are named after the account, and everything ends when it changes, so that no event
 * of an earlier account reaches the next one's cache.
 */
import type { QueryClient } from '@tanstack/vue-query'
import { currentIdentity, isCurrent } from '@/shared/api/identity'
import { follow, missed } from './connection'
import { refreshFrom } from './refresh'
import { setLive } from './state'
import { isLiveEvent, type LiveEvent } from './topics'

/** A stream that comes back sooner is not missed. */
const patience = 5_000

type News = { kind: 'event'; event: LiveEvent } | { kind: 'open'; open: boolean } | { kind: 'hello' }

function isNews(data: unknown): data is News {
  if (typeof data !== 'object' || data === null || !('kind' in data)) return false
  if (data.kind === 'event') return 'event' in data && isLiveEvent(data.event)
  return data.kind === 'hello' || (data.kind === 'open' && 'open' in data && typeof data.open === 'boolean')
}

interface Options {
  client: QueryClient
  account: number
  reloadAccount: () => void
  /** Told each event about the account, after what it makes outdated has been noted. */
  changed?: (event: LiveEvent) => void
}

/** Start, and return what stops it. */
export function startLive({ client, account, reloadAccount, changed }: Options): () => void {
  const identity = currentIdentity()
  const ended = new AbortController()
  const refresh = refreshFrom(client, reloadAccount)
  const channel =
    'BroadcastChannel' in globalThis ? new BroadcastChannel(`doorstep-live-${account}`) : undefined
  /** Whether this tab holds the stream, and whether it is open. */
  let holding = false
  let open = false
  let lateness: ReturnType<typeof setTimeout> | undefined

  function tell(news: News): void {
    channel?.postMessage(news)
  }

  function take(event: LiveEvent): void {
    if (ended.signal.aborted || !isCurrent(identity)) return
    refresh.hear(event)
    changed?.(event)
  }

  /** Polling begins with the next reading: what may have changed meanwhile is read now. */
  function setOpen(now: boolean): void {
    if (now === open) return
    open = now
    setLive(now)
    if (!now) take(missed)
  }

  channel?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (!isNews(data)) return
    if (data.kind === 'event') take(data.event)
    else if (data.kind === 'open') setOpen(data.open)
    else if (holding) tell({ kind: 'open', open })
  })

  function announce(now: boolean): void {
    clearTimeout(lateness)
    setOpen(now)
    tell({ kind: 'open', open: now })
  }

  async function hold(): Promise<void> {
    if (ended.signal.aborted) return
    holding = true
    let first = true
    const pass = (event: LiveEvent): void => {
      take(event)
      tell({ kind: 'event', event })
    }
    const opened = (): void => {
      // What was read before the stream was open may have changed since; later the server says so itself.
      if (first) pass(missed)
      first = false
      announce(true)
    }
    const closed = (): void => {
      clearTimeout(lateness)
      lateness = setTimeout(() => announce(false), patience)
    }
    await follow({ hear: pass, opened, closed }, ended.signal)
  }

  tell({ kind: 'hello' })
  const name = `doorstep-live-${account}`
  // Browsers offer locks over TLS and on localhost only; without them each tab holds a stream.
  const locks = navigator.locks as LockManager | null | undefined
  const held = locks ? locks.request(name, { signal: ended.signal }, hold) : hold()
  // Stopped while it waited for its turn.
  held.catch(() => undefined)

  return () => {
    ended.abort()
    clearTimeout(lateness)
    refresh.stop()
    channel?.close()
    setLive(false)
  }
}
