import { describe, expect, it } from 'vitest'
import { monthBeside, monthName } from './useReports'

describe('monthBeside', () => {
  it('crosses the end of a year but not the current month', () => {
    expect(monthBeside('2026-01', -1, '2026-11')).toBe('2025-12')
    expect(monthBeside('2025-12', 1, '2026-11')).toBe('2026-01')
    expect(monthBeside('2026-10', 1, '2026-11')).toBe('2026-11')
    expect(monthBeside('2026-11', 1, '2026-11')).toBeNull()
  })
})

describe('monthName', () => {
  it('is the month in words', () => {
    expect(monthName('2026-10', 'en')).toBe('October 2026')
  })
})
