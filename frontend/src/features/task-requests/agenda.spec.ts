import { describe, expect, it } from 'vitest'
import type { AgendaDay } from '@/shared/api/generated'
import { hoursShown, sideBySide, toDays, type Entry } from './agenda'

type Asked = AgendaDay['requests'][number]
const request = (date_of_request: string, time_required = 60) => ({ date_of_request, time_required }) as Asked
const day = (date: string, more: Partial<AgendaDay> = {}): AgendaDay => ({
  date,
  hours: [],
  exception: false,
  requests: [],
  ...more,
})
const before = day('2026-11-22')
const parts = (entries: Entry[] = []) => entries.map(({ from, to, since }) => ({ from, to, since }))

describe('toDays', () => {
  it("counts in the marketplace's day", () => {
    const [shown] = toDays([
      before,
      day('2026-11-23', { requests: [request('2026-11-23T04:30:00+00:00', 90)] }),
    ])
    expect(parts(shown?.entries)).toEqual([{ from: 600, to: 690, since: false }])
  })

  it('continues requests from the previous evening, also before the first day shown', () => {
    const night = (date: string) => request(`${date}T22:00:00+05:30`, 600)
    const days = toDays([
      { ...before, requests: [night('2026-11-22')] },
      day('2026-11-23', { requests: [night('2026-11-23')] }),
      day('2026-11-24', { requests: [request('2026-11-24T23:00:00+05:30')] }),
    ])
    expect(days.map(({ date, entries }) => [date, parts(entries)])).toEqual([
      [
        '2026-11-23',
        [
          { from: 0, to: 480, since: true },
          { from: 1320, to: 1440, since: false },
        ],
      ],
      [
        '2026-11-24',
        [
          { from: 0, to: 480, since: true },
          { from: 1380, to: 1440, since: false },
        ],
      ],
    ])
  })
})

describe('sideBySide', () => {
  const at = (from: number, to: number): Entry => ({
    request: request('2026-11-23T04:30:00+00:00'),
    from,
    to,
    since: false,
  })
  const lanes = (...entries: Entry[]) =>
    sideBySide(entries, 30).map(({ from, lane, lanes: all }) => [from, lane, all])

  it('gives consecutive requests the full width', () => {
    expect(lanes(at(600, 660), at(540, 600))).toEqual([
      [540, 0, 1],
      [600, 0, 1],
    ])
  })

  it('gives overlapping requests separate columns and reuses free ones', () => {
    expect(lanes(at(540, 660), at(570, 600), at(600, 630), at(700, 760))).toEqual([
      [540, 0, 2],
      [570, 1, 2],
      [600, 1, 2],
      [700, 0, 1],
    ])
  })

  it('treats short requests as long enough for their text', () => {
    expect(lanes(at(540, 545), at(550, 600))).toEqual([
      [540, 0, 2],
      [550, 1, 2],
    ])
  })
})

describe('hoursShown', () => {
  it('covers the default hours and extends to requests outside of them', () => {
    const days = (...all: AgendaDay[]) => toDays([before, ...all])
    expect(hoursShown(days(day('2026-11-23')))).toEqual({ first: 8, last: 18 })
    expect(
      hoursShown(
        days(
          day('2026-11-23', { hours: [{ from: '09:00', to: '20:30' }] }),
          day('2026-11-24', { requests: [request('2026-11-24T06:45:00+05:30')] }),
        ),
      ),
    ).toEqual({ first: 6, last: 21 })
  })

  it('leaves out the night except its last hours', () => {
    const night = { ...before, requests: [request('2026-11-22T21:00:00+05:30', 600)] }
    expect(hoursShown(toDays([night, day('2026-11-23')]))).toEqual({ first: 6, last: 18 })
  })
})
