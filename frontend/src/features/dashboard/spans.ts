/** Date ranges for the dashboard, counted back from today in the marketplace's time zone. */
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

/** The preset that a range matches; the default one when nothing was chosen; null for a custom range. */
export function presetOf(
  from: string | undefined,
  to: string | undefined,
  now?: CalendarDate,
): Preset | null {
  if (!from && !to) return usual
  return (
    presets.find((days) => {
      const span = lastDays(days, now)
      return span.from === from && span.to === to
    }) ?? null
  )
}
