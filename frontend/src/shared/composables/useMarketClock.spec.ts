import { afterEach, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { useMarketClock } from './useMarketClock'

afterEach(() => vi.useRealTimers())

it("passes midnight in the marketplace's time zone while a page stays open, and stops with it", () => {
  vi.useFakeTimers({ now: new Date('2026-11-30T18:29:00Z') })
  const scope = effectScope()
  const clock = scope.run(useMarketClock)
  expect([clock?.today.value, clock?.minutes.value]).toEqual(['2026-11-30', 1439])
  vi.advanceTimersByTime(90_000)
  expect([clock?.today.value, clock?.minutes.value]).toEqual(['2026-12-01', 0])
  scope.stop()
  expect(vi.getTimerCount()).toBe(0)
})
