import { describe, expect, it } from 'vitest'
import { changesOf } from './changes'

describe('changesOf', () => {
  it('lists changed fields and leaves out unchanged ones', () => {
    expect(
      changesOf({ name: 'Tap', base_price: '100.00' }, { name: 'Tap', base_price: '120.00' }, 'en'),
    ).toEqual([{ field: 'base_price', before: '100.00', after: '120.00' }])
  })

  it('handles entries with one side only and empty ones', () => {
    expect(changesOf(null, { reason: 'fraud', note: null }, 'en')).toEqual([
      { field: 'reason', before: null, after: 'fraud' },
    ])
    expect(changesOf({ note: 'x' }, null, 'en')).toEqual([{ field: 'note', before: 'x', after: null }])
    expect(changesOf(null, null, 'en')).toEqual([])
  })

  it('formats booleans, times, lists and nested values', () => {
    const changes = changesOf(
      { isactive: true, at: null },
      { isactive: false, at: '2026-12-01T04:30:00+00:00', phrases: ['a', 'b'], asked: { month: '2026-10' } },
      'en',
      ['off', 'on'],
    )
    expect(changes.map(({ before, after }) => [before, after])).toEqual([
      ['on', 'off'],
      [null, expect.stringContaining('1 Dec')],
      [null, 'a, b'],
      [null, 'month: 2026-10'],
    ])
  })
})
