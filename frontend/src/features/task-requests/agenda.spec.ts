import { describe, expect, it } from 'vitest'
import type { AgendaDay } from '@/shared/api/generated'
import { blockOf, hoursShown } from './agenda'

const request = (date_of_request: string, time_required = 60) => ({ date_of_request, time_required }) as AgendaDay['requests'][number]

describe('blockOf', () => {
  it("counts in the market's day and stops at midnight", () => {
    expect(blockOf(request('2026-11-23T04:30:00+00:00', 90))).toEqual({ from: 600, to: 690 })
    expect(blockOf(request('2026-11-23T23:30:00+05:30', 120))).toEqual({ from: 1410, to: 1440 })
  })
})

describe('hoursShown', () => {
  const day = (more: Partial<AgendaDay>): AgendaDay => ({ date: '2026-11-23', hours: [], exception: false, requests: [], ...more })

  it('is the usual day, and grows to what lies outside of it', () => {
    expect(hoursShown([day({})])).toEqual({ first: 8, last: 18 })
    expect(hoursShown([day({ hours: [{ from: '09:00', to: '20:30' }] }), day({ requests: [request('2026-11-23T06:45:00+05:30')] })])).toEqual({ first: 6, last: 21 })
  })
})
