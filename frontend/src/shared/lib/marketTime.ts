/** Converts between input (date and time in the marketplace's time zone) and the API (ISO 8601 with offset). */
import {
  fromDate,
  parseAbsolute,
  parseDate,
  parseTime,
  toCalendarDateTime,
  toZoned,
  today,
} from '@internationalized/date'
import { market } from '@/shared/market'

const offsetOnly = (zoned: { toString(): string }): string => zoned.toString().replace(/\[.*\]$/, '')

/** '2026-12-01' and '09:30' → '2026-12-01T09:30:00+05:30'; a time that a clock change skips moves to the next that exists. */
export function toIso(day: string, time: string, zone = market.timezone): string {
  return offsetOnly(toZoned(toCalendarDateTime(parseDate(day), parseTime(time)), zone, 'later'))
}

export function fromIso(iso: string, zone = market.timezone): { day: string; time: string } {
  const zoned = parseAbsolute(new Date(iso).toISOString(), zone)
  const two = (value: number) => String(value).padStart(2, '0')
  return {
    day: `${zoned.year}-${two(zoned.month)}-${two(zoned.day)}`,
    time: `${two(zoned.hour)}:${two(zoned.minute)}`,
  }
}

/** The next days in the marketplace's time zone, today first, as 'YYYY-MM-DD'. */
export function comingDays(count: number, zone = market.timezone, now?: Date): string[] {
  const first = now ? fromDate(now, zone) : today(zone)
  return Array.from({ length: count }, (_, index) => first.add({ days: index }).toString().slice(0, 10))
}

export const marketToday = (zone = market.timezone): string => today(zone).toString()

export const shiftDay = (day: string, days: number): string => parseDate(day).add({ days }).toString()

/** Monday is 0, as the API counts. */
export const weekdayOf = (day: string): number => (parseDate(day).toDate('UTC').getUTCDay() + 6) % 7

/** The seven days of the week that a day lies in, Monday first. */
export function weekOf(day: string): string[] {
  const first = shiftDay(day, -weekdayOf(day))
  return Array.from({ length: 7 }, (_, index) => shiftDay(first, index))
}

const halfHours = Array.from({ length: 28 }, (_, index) => {
  const minutes = 7 * 60 + index * 30
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
})

/** Times of a day at which a visit may begin, every half hour; what is already past today is left out. */
export function startTimes(day: string, zone = market.timezone, now = new Date(), notice = 0): string[] {
  // Only the day that the earliest time lies in loses some of them: one conversion instead of one for each time.
  const earliest = fromIso(new Date(now.getTime() + notice * 60_000).toISOString(), zone)
  if (day !== earliest.day) return day > earliest.day ? halfHours : []
  return halfHours.filter((time) => time > earliest.time)
}
