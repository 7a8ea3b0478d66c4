import { describe, expect, it } from 'vitest'
import { filtersOf } from './useReviews'

describe('filtersOf', () => {
  it('shows only reported and visible reviews as waiting', () => {
    expect(filtersOf('reported')).toEqual({ reported: 1, hidden: 0 })
    expect(filtersOf('hidden')).toEqual({ hidden: 1 })
    expect(filtersOf('all')).toEqual({})
  })
})
