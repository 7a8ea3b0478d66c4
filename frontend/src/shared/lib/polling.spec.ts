import { describe, expect, it } from 'vitest'
import { setLive } from '@/shared/live/state'
import { jittered, pollEvery, pollWhile, type Polled } from './polling'

const middle = () => 0.5
const query = (): Polled<string | null> => ({
  state: { data: undefined, dataUpdateCount: 0, errorUpdateCount: 0 },
})
function succeed(one: Polled<string | null>, data: string | null = 'x'): void {
  one.state = { ...one.state, data, dataUpdateCount: one.state.dataUpdateCount + 1 }
}
function fail(one: Polled<string | null>): void {
  one.state = { ...one.state, errorUpdateCount: one.state.errorUpdateCount + 1 }
}

describe('jittered', () => {
  it('varies by at most a fifth', () => {
    expect([0, 0.5, 1].map((at) => jittered(1000, () => at))).toEqual([800, 1000, 1200])
  })
})

describe('pollEvery', () => {
  it('keeps its interval while the server responds', () => {
    const one = query()
    let asked = 0
    const next = pollEvery(3000, () => (asked += 0.1))
    succeed(one)
    const wait = next(one)
    expect(next(one)).toBe(wait)
    succeed(one)
    expect(next(one)).not.toBe(wait)
  })

  it('waits twice as long after each failure, never longer than a minute, and never stops', () => {
    const one = query()
    const next = pollEvery(3000, middle)
    succeed(one)
    const waits = [next(one)]
    for (let failures = 0; failures < 8; failures += 1) {
      fail(one)
      waits.push(next(one))
    }
    expect(waits).toEqual([3000, 6000, 12_000, 24_000, 48_000, 60_000, 60_000, 60_000, 60_000])
    succeed(one)
    expect(next(one)).toBe(3000)
  })

  it('keeps the delays of two queries separate', () => {
    const next = pollEvery(3000, middle)
    const [one, other] = [query(), query()]
    succeed(one)
    succeed(other)
    next(one)
    fail(one)
    expect([next(one), next(other)]).toEqual([6000, 3000])
  })

  it('does not poll while live updates arrive', () => {
    const one = query()
    const next = pollEvery(3000, middle)
    setLive(true)
    succeed(one)
    expect(next(one)).toBe(false)
    setLive(false)
    expect(next(one)).toBe(3000)
  })
})

describe('pollWhile', () => {
  const fingerprint = (data: string | null) => data

  it('polls each second during progress, then less often, and at once after the next step', () => {
    const one = query()
    const next = pollWhile<string | null>(fingerprint)
    const waits: (number | false)[] = []
    for (const data of ['1:10', '1:20', '1:20', '1:20']) {
      succeed(one, data)
      waits.push(next(one))
    }
    expect(waits).toEqual([1000, 1000, 1500, 2250])
    for (let polls = 0; polls < 20; polls += 1) {
      succeed(one, '1:20')
      next(one)
    }
    expect(next(one)).toBe(15_000)
    succeed(one, '1:30')
    expect(next(one)).toBe(1000)
  })

  it('waits longer while the server is unavailable, and stops when nothing runs', () => {
    const one = query()
    const next = pollWhile<string | null>(fingerprint)
    succeed(one, '1:10')
    next(one)
    fail(one)
    expect(next(one)).toBe(1500)
    succeed(one, null)
    expect(next(one)).toBe(false)
  })

  it('can continue slowly when nothing runs', () => {
    const one = query()
    succeed(one, null)
    const wait = pollWhile<string | null>(fingerprint, 20_000)(one)
    expect(wait).toBeGreaterThanOrEqual(16_000)
    expect(wait).toBeLessThanOrEqual(24_000)
  })
})
