/** Layout of the agenda: minutes of the day in the marketplace's time zone become positions on a scale. */
import type { AgendaDay } from '@/shared/api/generated'
import { fromIso } from '@/shared/lib/marketTime'
import { minutesOf } from './hours'

export interface Block {
  from: number
  to: number
}

type Asked = AgendaDay['requests'][number]

/** A request's part of one day: what begins in the evening may go on in the morning. */
export interface Entry extends Block {
  request: Asked
  /** It began the day before. */
  since: boolean
}

export interface Day extends AgendaDay {
  entries: Entry[]
}

const midnight = 1440

function entryOf(request: Asked): Entry {
  const from = minutesOf(fromIso(request.date_of_request).time)
  return { request, from, to: Math.min(midnight, from + request.time_required), since: false }
}

/** What is left of a request when its day is over. */
function restOf(request: Asked): Entry[] {
  const to = minutesOf(fromIso(request.date_of_request).time) + request.time_required - midnight
  return to > 0 ? [{ request, from: 0, to, since: true }] : []
}

/** The days to show; the first one given is the day before them, for what goes on past its midnight. */
export function toDays(days: AgendaDay[]): Day[] {
  return days.slice(1).map((day, index) => ({
    ...day,
    entries: [...(days[index]?.requests ?? []).flatMap(restOf), ...day.requests.map(entryOf)],
  }))
}

export interface Placed extends Entry {
  lane: number
  lanes: number
}

/** What overlaps goes side by side; a short one takes the room that its words need. */
export function sideBySide(entries: Entry[], least: number): Placed[] {
  const placed: Placed[] = []
  let together: Placed[] = []
  let ends: number[] = []
  const close = () => {
    for (const one of together) one.lanes = ends.length
    together = []
    ends = []
  }
  for (const entry of [...entries].sort((one, other) => one.from - other.from || other.to - one.to)) {
    if (ends.every((end) => end <= entry.from)) close()
    const free = ends.findIndex((end) => end <= entry.from)
    const one = { ...entry, lane: free < 0 ? ends.length : free, lanes: 1 }
    ends[one.lane] = Math.max(entry.to, entry.from + least)
    together.push(one)
    placed.push(one)
  }
  close()
  return placed
}

/** The whole hours that must be seen: all work and all working hours, eight to eighteen at the least; of a night its end. */
export function hoursShown(days: Day[]): { first: number; last: number } {
  const all: Block[] = days.flatMap((day) => [
    ...day.hours.map(({ from, to }) => ({ from: minutesOf(from), to: minutesOf(to) })),
    ...day.entries.map(({ from, to, since }) => ({ from: since ? Math.max(0, to - 60) : from, to })),
  ])
  return {
    first: Math.floor(Math.min(480, ...all.map(({ from }) => from)) / 60),
    last: Math.ceil(Math.max(1080, ...all.map(({ to }) => to)) / 60),
  }
}
