import { describe, expect, it } from 'vitest'
import { mayResend, states } from './useDeliveries'

describe('mayResend', () => {
  it('offers to resend only failed deliveries', () => {
    expect(states.filter((state) => mayResend({ state }))).toEqual(['failed', 'skipped'])
  })
})
