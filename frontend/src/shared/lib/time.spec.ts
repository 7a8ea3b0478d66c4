import { afterEach, describe, expect, it } from 'vitest'
import { setMarket } from '@/shared/market'
import { formatDuration, formatRelative, formatSpan, formatTime, zoneName } from './time'

afterEach(() => setMarket({ timezone: 'Asia/Kolkata', country: 'IN' }))

describe('formatTime', () => {
  it("uses the marketplace's time zone, not the browser's", () => {
    expect(formatTime('2026-12-01T20:00:00+00:00', 'full', 'en')).toMatch(/Wed, 2 Dec.*1:30\s?am/i)
    setMarket({ timezone: 'Europe/Berlin', country: 'DE' })
    expect(formatTime('2026-12-01T20:00:00+00:00', 'time', 'en')).toMatch(/21:00/)
  })

  it('shows a dash for invalid input', () => {
    expect(formatTime('soon', 'full', 'en')).toBe('–')
  })
})

describe('zoneName', () => {
  it('is the name that its users know, the same in summer and in winter', () => {
    expect([zoneName('en'), zoneName('hi')]).toEqual(['India Standard Time', 'भारतीय मानक समय'])
    expect(zoneName('en', 'Europe/Berlin')).toBe('Central European Time')
  })
})

describe('formatRelative', () => {
  const now = Date.parse('2026-12-01T12:00:00Z')
  it.each([
    ['2026-12-01T11:00:00Z', '1 hour ago'],
    ['2026-12-03T12:00:00Z', 'in 2 days'],
    ['2026-12-01T11:59:40Z', 'now'],
  ])('%s is %s', (at, text) => expect(formatRelative(at, 'en', now)).toBe(text))
})

describe('formatDuration', () => {
  it.each([
    [30, /^30 min/],
    [60, /^1 hr?$/],
    [135, /^2 hrs? 15 min/],
  ])('%i minutes', (minutes, text) => expect(formatDuration(minutes, 'en')).toMatch(text))
})

describe('formatSpan', () => {
  it('shows a shared date once, and no dates for times across midnight', () => {
    expect(formatSpan('2026-12-01T03:30:00Z', 90, 'en')).toMatch(/^9:00\s–\s10:30\s?am$/i)
    expect(formatSpan('2026-12-01T15:30:00Z', 600, 'en')).toMatch(/^9:00\s?pm – 7:00\s?am$/i)
  })
})
