import { describe, expect, it } from 'vitest'
import { mayResend, states } from './useDeliveries'

describe('mayResend', () => {
  it('offers sending again only for what did not get out', () => {
    expect(states.filter((state) => mayResend({ state }))).toEqual(['failed', 'skipped'])
  })
})
