import { CalendarDate } from '@internationalized/date'
import { describe, expect, it } from 'vitest'
import { lastDays, presetOf } from './spans'

const day = new CalendarDate(2026, 3, 5)

describe('spans of the dashboard', () => {
  it('count today as one of the days', () => {
    expect(lastDays(7, day)).toEqual({ from: '2026-02-27', to: '2026-03-05' })
    expect(lastDays(1, day)).toEqual({ from: '2026-03-05', to: '2026-03-05' })
  })

  it('are recognised in an address', () => {
    expect(presetOf(undefined, undefined, day)).toBe(30)
    expect(presetOf('2026-02-27', '2026-03-05', day)).toBe(7)
    expect(presetOf('2026-02-26', '2026-03-05', day)).toBeNull()
    expect(presetOf('2026-02-27', undefined, day)).toBeNull()
  })
})
