import { describe, expect, it } from 'vitest'
import { formatMoney } from './money'

describe('formatMoney', () => {
  it.each([
    ['499.00', 'INR', '₹499'],
    ['1299.50', 'INR', '₹1,299.50'],
    ['10000000.00', 'INR', '₹1,00,00,000'],
    ['9007199254740993.25', 'INR', '₹9,00,71,99,25,47,40,993.25'],
    [null, 'INR', '–'],
  ])('%s %s', (amount, currency, text) => expect(formatMoney(amount, currency, 'en')).toBe(text))
})
