/** Reads again what events have made stale: several at once, and not more often than needed. */
import type { QueryClient } from '@tanstack/vue-query'
import { invalidate, tags as allTags, type Tag } from '@/shared/api/invalidate'
import { account, resync, tagsOf, type LiveEvent } from './topics'

const soon = 50
/** Events without an id go to many clients at the same time. The server collects them for a second: both together take two. */
const spread = 900
/** Statistics are expensive, and each change of a request changes them. */
const rarely: Partial<Record<Tag, number>> = { Dashboard: 60_000 }

export interface Refresh {
  hear: (event: LiveEvent) => void
  stop: () => void
}

/** @param reloadAccount reads the user's own account again. */
export function refreshFrom(
  client: QueryClient,
  reloadAccount: () => void,
  random: () => number = Math.random,
): Refresh {
  const due = new Map<Tag, number>()
  const readAt = new Map<Tag, number>()
  let timer: ReturnType<typeof setTimeout> | undefined

  function plan(): void {
    clearTimeout(timer)
    if (due.size) timer = setTimeout(flush, Math.max(0, Math.min(...due.values()) - Date.now()))
  }

  function flush(): void {
    const now = Date.now()
    const ready = [...due].filter(([, at]) => at <= now).map(([tag]) => tag)
    for (const tag of ready) {
      due.delete(tag)
      readAt.set(tag, now)
    }
    // A hidden page only marks them as stale: they are read when it is seen again.
    if (ready.length) void invalidate(client, ready, document.hidden ? 'none' : 'active')
    plan()
  }

  function hear(event: LiveEvent): void {
    const all = event.topic === resync
    if (all || event.topic === account) reloadAccount()
    const wait = event.id === null ? soon + random() * spread : soon
    for (const tag of all ? allTags : tagsOf(event.topic)) {
      const earliest = all ? 0 : (readAt.get(tag) ?? 0) + (rarely[tag] ?? 0)
      const at = Math.max(Date.now() + wait, earliest)
      due.set(tag, Math.min(due.get(tag) ?? at, at))
    }
    plan()
  }

  return { hear, stop: () => clearTimeout(timer) }
}
