/** Spans of days for the dashboard, counted back from today in the market's calendar. */
import { today, type CalendarDate } from '@internationalized/date'
import { market } from '@/shared/market'

export const presets = [7, 30, 90, 365] as const
export type Preset = (typeof presets)[number]
export const usual: Preset = 30

export interface DaySpan {
  from: string
  to: string
}

export function lastDays(days: number, now: CalendarDate = today(market.timezone)): DaySpan {
  return { from: now.subtract({ days: days - 1 }).toString(), to: now.toString() }
}

/** Which of the presets a span is; the usual one when nothing was chosen; null when it is one's own. */
export function presetOf(from: string | undefined, to: string | undefined, now?: CalendarDate): Preset | null {
  if (!from && !to) return usual
  return presets.find((days) => {
    const span = lastDays(days, now)
    return span.from === from && span.to === to
  }) ?? null
}
