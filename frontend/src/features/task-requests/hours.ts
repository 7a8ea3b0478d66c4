/** Working hours between the API's list of spans and the form's seven days. */
import type { Hours, WorkingHours, WorkingHoursShown } from '@/shared/api/generated'
import { marketToday, shiftDay } from '@/shared/lib/marketTime'

export interface DayHours {
  works: boolean
  spans: Hours[]
}
export interface Exception {
  date: string
  hours: Hours[]
}
/** Days off as they are being chosen: one day, or from the first to the last. */
export interface NextDays {
  from: string
  to: string
  off: boolean
  spans: Hours[]
}
export interface HoursForm {
  week: DayHours[]
  exceptions: Exception[]
  /** Chosen and not added to the list yet; saving adds them. */
  next: NextDays
}

export const longest = 60
export const noDays = (): NextDays => ({
  from: '',
  to: '',
  off: true,
  spans: [{ from: '09:00', to: '13:00' }],
})

/** What is wrong with the days being chosen: the end of a text's key, or null. */
export function wrongDays(
  { from, to, off, spans }: NextDays,
  today: string,
): 'day' | 'days' | 'long' | 'missing' | 'order' | 'overlap' | null {
  const last = to || from
  if (!from) return 'day'
  if (from < today || last < from) return 'days'
  if (last >= shiftDay(from, longest)) return 'long'
  return off ? null : wrongWith(spans)
}

/** The same for days that saving adds: none at all are fine. */
export const wrongNext = (days: NextDays) => (days.from || days.to ? wrongDays(days, marketToday()) : null)

/** The list with the days being chosen put in; a day stands in it once. */
export function withDays(exceptions: Exception[], { from, to, off, spans }: NextDays): Exception[] {
  const added: Exception[] = []
  for (let day = from; day <= (to || from); day = shiftDay(day, 1))
    added.push({ date: day, hours: off ? [] : spans.map((span) => ({ ...span })) })
  const dates = new Set(added.map(({ date }) => date))
  return [...exceptions.filter(({ date }) => !dates.has(date)), ...added].sort((a, b) =>
    a.date.localeCompare(b.date),
  )
}

export const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5))

/** A browser's field knows no 24:00: the day's end is midnight there. */
const shown = (clock: string): string => (clock === '24:00' ? '00:00' : clock)
const ended = (clock: string): string => (clock === '00:00' ? '24:00' : clock)
const sent = ({ from, to }: Hours): Hours => ({ from, to: ended(to) })

/** Without weekly hours the marketplace's default applies to every day; past exceptions are dropped. */
export function toForm(hours: WorkingHoursShown, today: string): HoursForm {
  const usual = hours.weekly.length === 0
  const week = Array.from({ length: 7 }, (_, weekday) => {
    const own = hours.weekly
      .filter((one) => one.weekday === weekday)
      .map(({ from, to }) => ({ from, to: shown(to) }))
    const spans = own.length ? own : [{ from: hours.usual.from, to: shown(hours.usual.to) }]
    return { works: usual || own.length > 0, spans }
  })
  const exceptions = (hours.exceptions ?? [])
    .filter(({ date }) => date >= today)
    .map(({ date, hours: spans }) => ({
      date,
      hours: spans.map(({ from, to }) => ({ from, to: shown(to) })),
    }))
    .sort((a, b) => a.date.localeCompare(b.date))
  return { week, exceptions, next: noDays() }
}

export function toBody({ week, exceptions: listed, next }: HoursForm): WorkingHours {
  const exceptions = next.from ? withDays(listed, next) : listed
  return {
    weekly: week.flatMap(({ works, spans }, weekday) =>
      works ? spans.map((span) => ({ weekday, ...sent(span) })) : [],
    ),
    exceptions: exceptions.map(({ date, hours }) => ({ date, hours: hours.map(sent) })),
  }
}

/** What is wrong with the spans of one day: the end of a text's key, or null. */
export function wrongWith(spans: Hours[]): 'missing' | 'order' | 'overlap' | null {
  if (spans.some(({ from, to }) => !from || !to)) return 'missing'
  const minutes = spans
    .map(({ from, to }) => [minutesOf(from), minutesOf(ended(to))] as const)
    .sort(([a], [b]) => a - b)
  if (minutes.some(([from, to]) => from >= to)) return 'order'
  return minutes.some(([from], index) => index > 0 && from < (minutes[index - 1]?.[1] ?? 0))
    ? 'overlap'
    : null
}
