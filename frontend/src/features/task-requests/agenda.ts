/** Where things stand on an agenda's page: minutes of the market's day become places on a scale. */
import type { AgendaDay } from '@/shared/api/generated'
import { fromIso } from '@/shared/lib/marketTime'
import { minutesOf } from './hours'

export interface Block {
  from: number
  to: number
}

/** A request's minutes within its day; what goes on past midnight is cut there. */
export function blockOf(request: { date_of_request: string; time_required: number }): Block {
  const from = minutesOf(fromIso(request.date_of_request).time)
  return { from, to: Math.min(1440, from + request.time_required) }
}

/** The whole hours that must be seen: all work and all working hours, eight to eighteen at the least. */
export function hoursShown(days: AgendaDay[]): { first: number; last: number } {
  const all = days.flatMap((day) => [...day.hours.map(({ from, to }) => ({ from: minutesOf(from), to: minutesOf(to) })), ...day.requests.map(blockOf)])
  return {
    first: Math.floor(Math.min(480, ...all.map(({ from }) => from)) / 60),
    last: Math.ceil(Math.max(1080, ...all.map(({ to }) => to)) / 60),
  }
}
