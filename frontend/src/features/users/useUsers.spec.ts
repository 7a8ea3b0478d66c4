import { describe, expect, it } from 'vitest'
import { isUnreliable, standing } from './useUsers'

describe('standing', () => {
  it('says the block before the approval, and "active" for customers', () => {
    expect(standing({ blocked_at: '2026-11-01T00:00:00Z', approval: 'approved' })).toBe('blocked')
    expect(standing({ blocked_at: null, approval: 'pending' })).toBe('pending')
    expect(standing({ blocked_at: null })).toBe('active')
  })
})

describe('isUnreliable', () => {
  it('starts at three cancellations or releases in 90 days', () => {
    expect(isUnreliable({ cancelled_90_days: 2, released_90_days: 0 })).toBe(false)
    expect(isUnreliable({ cancelled_90_days: 1, released_90_days: 2 })).toBe(true)
  })
})
