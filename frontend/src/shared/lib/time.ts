/** Times for display: always in the marketplace's time zone, never in the browser's. */
import { market } from '@/shared/market'
import { dateFormat, numberFormat, relativeFormat } from './formats'

type Style = 'day' | 'dayShort' | 'dayYear' | 'time' | 'full' | 'weekday' | 'weekdayLong' | 'month'

const styles: Record<Style, Intl.DateTimeFormatOptions> = {
  day: { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
  dayShort: { day: 'numeric', month: 'short' },
  dayYear: { day: 'numeric', month: 'short', year: 'numeric' },
  weekday: { weekday: 'short' },
  weekdayLong: { weekday: 'long' },
  month: { month: 'long', year: 'numeric' },
  time: { hour: 'numeric', minute: '2-digit' },
  full: { weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' },
}

export function formatTime(iso: string, style: Style, locale: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return '–'
  const { timezone: timeZone } = market
  const otherYear = style === 'full' && yearOf(date) !== yearOf(new Date())
  return dateFormat(locale, { ...styles[style], ...(otherYear && { year: 'numeric' }), timeZone }).format(
    date,
  )
}

/** The year of a time in the marketplace's time zone. */
const yearOf = (date: Date): string =>
  dateFormat('en', { year: 'numeric', timeZone: market.timezone }).format(date)

/** "India Standard Time": a time zone as its users call it, whether or not its clocks change. */
export function zoneName(locale: string, timeZone = market.timezone): string {
  const parts = dateFormat(locale, { timeZone, timeZoneName: 'longGeneric' }).formatToParts()
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? timeZone
}

/** A day of the calendar, '2026-12-01', which has no time zone. */
export function formatDay(
  day: string,
  style: 'day' | 'dayShort' | 'dayYear' | 'weekday' | 'weekdayLong',
  locale: string,
): string {
  return dateFormat(locale, { ...styles[style], timeZone: 'UTC' }).format(new Date(`${day}T12:00:00Z`))
}

/** A time of day, '09:30', whichever the day. */
export function formatClock(clock: string, locale: string): string {
  return dateFormat(locale, { ...styles.time, timeZone: 'UTC' }).format(new Date(`1970-01-01T${clock}:00Z`))
}

export const shiftMinutes = (iso: string, minutes: number): string =>
  new Date(Date.parse(iso) + minutes * 60_000).toISOString()

/** "9:00 – 10:30 am": from a moment on, for some minutes. */
export function formatSpan(iso: string, minutes: number, locale: string): string {
  const end = shiftMinutes(iso, minutes)
  const dayOf = (moment: string) => formatTime(moment, 'dayYear', locale)
  // Over midnight the range would spell out both days.
  if (dayOf(iso) !== dayOf(end))
    return `${formatTime(iso, 'time', locale)} – ${formatTime(end, 'time', locale)}`
  return dateFormat(locale, { ...styles.time, timeZone: market.timezone }).formatRange(
    new Date(iso),
    new Date(end),
  )
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

/** "3 hours ago", "in 2 days", and "now" for less than a minute. */
export function formatRelative(iso: string, locale: string, now = Date.now()): string {
  const seconds = Math.round((new Date(iso).getTime() - now) / 1000)
  const format = relativeFormat(locale, { numeric: 'auto' })
  const step = steps.find(([, size]) => Math.abs(seconds) >= size)
  return step ? format.format(Math.trunc(seconds / step[1]), step[0]) : format.format(0, 'second')
}

/** 90 → "1 h 30 min". */
export function formatDuration(minutes: number, locale: string): string {
  const unit = (value: number, name: 'hour' | 'minute') =>
    numberFormat(locale, { style: 'unit', unit: name, unitDisplay: 'short' }).format(value)
  const hours = Math.floor(minutes / 60)
  const rest = minutes % 60
  return [hours ? unit(hours, 'hour') : '', rest || !hours ? unit(rest, 'minute') : '']
    .filter(Boolean)
    .join(' ')
}
