import { describe, expect, it } from 'vitest'
import { isDay } from './day'
import { comingDays, fromIso, shiftDay, startTimes, toIso, weekOf, weekdayOf } from './marketTime'

describe('toIso', () => {
  it('carries the offset of that day', () => {
    expect(toIso('2026-12-01', '09:30', 'Asia/Kolkata')).toBe('2026-12-01T09:30:00+05:30')
    expect(toIso('2026-07-01', '09:30', 'Europe/Berlin')).toBe('2026-07-01T09:30:00+02:00')
    expect(toIso('2026-12-01', '09:30', 'Europe/Berlin')).toBe('2026-12-01T09:30:00+01:00')
  })

  it('moves a time that a clock change leaves out to the next that exists', () => {
    expect(toIso('2026-03-29', '02:30', 'Europe/Berlin')).toBe('2026-03-29T03:30:00+02:00')
  })

  it('round-trips across midnight', () => {
    expect(fromIso('2026-11-30T20:00:00+00:00', 'Asia/Kolkata')).toEqual({ day: '2026-12-01', time: '01:30' })
    expect(fromIso(toIso('2026-12-31', '23:30', 'Asia/Kolkata'), 'Asia/Kolkata')).toEqual({
      day: '2026-12-31',
      time: '23:30',
    })
  })
})

describe('comingDays', () => {
  it("starts with today in the marketplace's time zone, across the end of a month", () => {
    expect(comingDays(3, 'Asia/Kolkata', new Date('2026-11-29T20:00:00Z'))).toEqual([
      '2026-11-30',
      '2026-12-01',
      '2026-12-02',
    ])
  })
})

describe('startTimes', () => {
  it('offers all times of a later day, and only future times today', () => {
    const now = new Date('2026-11-30T14:00:00Z')
    expect(startTimes('2026-12-01', 'Asia/Kolkata', now)).toHaveLength(28)
    expect(startTimes('2026-11-30', 'Asia/Kolkata', now)).toEqual(['20:00', '20:30'])
    expect(startTimes('2026-11-30', 'Asia/Kolkata', now, 45)).toEqual(['20:30'])
    expect(startTimes('2026-11-29', 'Asia/Kolkata', now)).toEqual([])
    expect(startTimes('2026-12-01', 'Asia/Kolkata', now, 14 * 60)[0]).toBe('10:00')
  })
})

describe('isDay', () => {
  it('accepts only dates of the calendar', () => {
    expect(['2026-02-28', '2028-02-29'].every(isDay)).toBe(true)
    expect(
      [
        '2026-02-31',
        '2026-02-29',
        '2026-13-01',
        '0002-01-01',
        '2026-1-1',
        'soon',
        '',
        null,
        ['2026-01-01'],
      ].some(isDay),
    ).toBe(false)
  })
})

describe('weekOf', () => {
  it('starts on Monday for any day, also across the end of a year', () => {
    expect(weekOf('2027-01-01')).toEqual([
      '2026-12-28',
      '2026-12-29',
      '2026-12-30',
      '2026-12-31',
      '2027-01-01',
      '2027-01-02',
      '2027-01-03',
    ])
    expect(weekOf('2026-11-29')[0]).toBe('2026-11-23')
    expect(weekOf('2026-11-23')[0]).toBe('2026-11-23')
    expect([weekdayOf('2026-11-23'), weekdayOf('2026-11-29')]).toEqual([0, 6])
    expect(shiftDay('2026-02-28', 1)).toBe('2026-03-01')
  })
})
