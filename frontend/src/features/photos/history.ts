/** Entries of a history in which photos that one user added one after another are one entry. */
import type { HistoryEntry } from '@/shared/api/types'

export type GroupedEntry = HistoryEntry & { photos: number }

export function grouped(history: readonly HistoryEntry[]): GroupedEntry[] {
  const entries: GroupedEntry[] = []
  for (const entry of history) {
    const photos = entry.action === 'add_photo' ? 1 : 0
    const last = entries.at(-1)
    if (photos && last?.photos && last.actor_id === entry.actor_id) last.photos += 1
    else entries.push({ ...entry, photos })
  }
  return entries
}
