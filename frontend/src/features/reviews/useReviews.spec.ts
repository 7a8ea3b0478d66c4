import { describe, expect, it } from 'vitest'
import { filtersOf } from './useReviews'

describe('filtersOf', () => {
  it('shows as waiting only what was reported and is not hidden yet', () => {
    expect(filtersOf('reported')).toEqual({ reported: 1, hidden: 0 })
    expect(filtersOf('hidden')).toEqual({ hidden: 1 })
    expect(filtersOf('all')).toEqual({})
  })
})
