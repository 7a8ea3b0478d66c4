/** A customer's monthly reports. */
import { marketToday, toIso } from '@/shared/lib/marketTime'
import { formatTime } from '@/shared/lib/time'

export const thisMonth = (): string => marketToday().slice(0, 7)

/** '2026-10' → 'October 2026'. */
export const monthName = (month: string, locale: string): string =>
  formatTime(toIso(`${month}-15`, '12:00'), 'month', locale)

/** The month before or after; null for one that has not started. */
export function monthBeside(month: string, by: 1 | -1, now = thisMonth()): string | null {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const index = year * 12 + number - 1 + by
  const next = `${Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`
  return next > now ? null : next
}
