import { expect, it, vi } from 'vitest'
import { answer } from '@/shared/testing/server'

vi.resetModules() // it is read once
const { loadMarket, market } = await import('./market')

it('loads the marketplace again at the next page until it succeeds', async () => {
  const seen = answer(
    'get',
    '/market.json',
    [503],
    [200, { timezone: 'Europe/Berlin', currency: 'EUR', country: 'DE' }],
  )
  await loadMarket()
  expect(market.currency).toBe('INR')
  await loadMarket()
  await loadMarket()
  expect(market).toEqual({ timezone: 'Europe/Berlin', currency: 'EUR', country: 'DE' })
  expect(seen).toHaveLength(2)
})
