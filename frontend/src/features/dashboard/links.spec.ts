import { describe, expect, it } from 'vitest'
import { closedTarget, ratingTarget } from './links'

describe('where the figures lead', () => {
  it('takes one step of ratings, with none for "not rated"', () => {
    expect(ratingTarget(0)).toBeNull()
    expect(ratingTarget(3)?.query).toMatchObject({ min_rating: '3', max_rating: '3.9' })
    expect(ratingTarget(5)?.query).not.toHaveProperty('max_rating')
  })

  it('takes a whole month where the chart counts in months', () => {
    expect(closedTarget('2028-02-01', 'month').query).toEqual({ from: '2028-02-01', to: '2028-02-29' })
    expect(closedTarget('2026-11-22', 'day').query).toEqual({ from: '2026-11-22', to: '2026-11-22' })
  })
})
