import { CalendarDate } from '@internationalized/date'
import { describe, expect, it } from 'vitest'
import { spanOf } from './spans'

describe('spanOf', () => {
  it('covers calendar months and years, also across the end of a year', () => {
    const day = new CalendarDate(2027, 1, 15)
    expect(spanOf('thisMonth', day)).toEqual({ from: '2027-01-01', to: '2027-01-15' })
    expect(spanOf('lastMonth', day)).toEqual({ from: '2026-12-01', to: '2026-12-31' })
    expect(spanOf('lastMonth', new CalendarDate(2028, 3, 31))).toEqual({
      from: '2028-02-01',
      to: '2028-02-29',
    })
    expect(spanOf('thisYear', day)).toEqual({ from: '2027-01-01', to: '2027-01-15' })
    expect(spanOf('all', day)).toEqual({ from: '', to: '' })
  })
})
