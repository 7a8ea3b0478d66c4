/** Common date ranges in the marketplace's time zone. */
import { endOfMonth, startOfMonth, startOfYear, today, type CalendarDate } from '@internationalized/date'
import { market } from '@/shared/market'

export interface DaySpan {
  from: string
  to: string
}
export const spanNames = ['thisMonth', 'lastMonth', 'thisYear', 'all'] as const
export type SpanName = (typeof spanNames)[number]

export function spanOf(name: SpanName, now: CalendarDate = today(market.timezone)): DaySpan {
  const span = (from: CalendarDate, to: CalendarDate) => ({ from: from.toString(), to: to.toString() })
  const before = now.subtract({ months: 1 })
  if (name === 'thisMonth') return span(startOfMonth(now), now)
  if (name === 'lastMonth') return span(startOfMonth(before), endOfMonth(before))
  if (name === 'thisYear') return span(startOfYear(now), now)
  return { from: '', to: '' }
}
