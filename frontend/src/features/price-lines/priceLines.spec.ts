import { describe, expect, it } from 'vitest'
import type { TaskRequestDetail } from '@/shared/api/types'
import { amountOf, hasPriceLines, inHundredths, ofHundredths, totalWith } from './priceLines'

describe('amounts', () => {
  it('are exact, and rounded half up as the server does', () => {
    const of = (quantity: string, unit_amount: string) => amountOf({ kind: 'extra', quantity, unit_amount })
    expect(of('1.5', '33.33')).toBe('50.00')
    expect(of('0.5', '0.01')).toBe('0.01')
    expect(of('0.333', '10')).toBe('3.33')
    expect(of('10000', '9999999.99')).toBe('99999999900.00')
    expect(amountOf({ kind: 'discount', quantity: '1', unit_amount: '99.9' })).toBe('-99.90')
  })

  it('are none while a part is no number, or too small to count', () => {
    const of = (quantity: string, unit_amount: string) => amountOf({ kind: 'extra', quantity, unit_amount })
    expect([of('', '5'), of('1', ''), of('1.0001', '5'), of('1', '5.001'), of('0.001', '0.01')]).toEqual(
      Array.from({ length: 5 }, () => null),
    )
  })

  it('keep their sign and their last digit', () => {
    for (const amount of ['0.00', '-0.05', '12.30', '-499.99'])
      expect(ofHundredths(inHundredths(amount))).toBe(amount)
    expect(totalWith('0.30', { amount: '-0.10' })).toBe('0.20')
  })
})

it('are shown where something can be done about them, or was', () => {
  const request = (price_actions: string[], actions: string[]) =>
    ({ price_actions, history: actions.map((action) => ({ action })) }) as unknown as TaskRequestDetail
  expect(hasPriceLines(request([], ['create', 'accept']))).toBe(false)
  expect(hasPriceLines(request(['propose_line'], ['create', 'accept']))).toBe(true)
  expect(hasPriceLines(request([], ['create', 'accept', 'propose_line', 'decline_line', 'complete']))).toBe(
    true,
  )
})
