import { afterEach, describe, expect, it } from 'vitest'
import { setMarket } from '@/shared/market'
import { dateFormat, formatKm, formatPercent, formatRating, numberFormat } from './formats'
import { formatMoney } from './money'
import { formatTime } from './time'

afterEach(() => setMarket({ timezone: 'Asia/Kolkata', country: 'IN', currency: 'INR' }))

describe('formats', () => {
  it('are created once per locale and options', () => {
    expect(numberFormat('en', { style: 'percent' })).toBe(numberFormat('en', { style: 'percent' }))
    expect(numberFormat('en', { style: 'percent' })).not.toBe(numberFormat('hi', { style: 'percent' }))
    expect(dateFormat('en', { year: 'numeric' })).toBe(dateFormat('en', { year: 'numeric' }))
  })

  it("follow the marketplace's country", () => {
    expect([
      formatRating(4, 'en'),
      formatKm(3.04, 'en'),
      formatKm(12.6, 'en'),
      formatPercent(0.4, 'en'),
    ]).toEqual(['4.0', '3', '13', '40%'])
    setMarket({ country: 'DE', currency: 'EUR' })
    expect(formatRating(4.5, 'de')).toBe('4,5')
    expect(formatMoney('1299999.50', 'EUR', 'de').replace(/\s/g, ' ')).toBe('1.299.999,50 €')
  })

  it("compares years in the marketplace's time zone", () => {
    const year = new Date().getUTCFullYear()
    // A few hours before the turn of the year in London it is next year in Kolkata already.
    expect(formatTime(`${year}-12-31T20:00:00Z`, 'full', 'en')).toContain(String(year + 1))
    expect(formatTime(`${year - 1}-12-31T20:00:00Z`, 'full', 'en')).not.toContain(String(year))
  })
})
