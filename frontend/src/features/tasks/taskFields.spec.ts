import { describe, expect, it } from 'vitest'
import { validate } from '@/shared/lib/schema'
import { blank, changedRules, changedTask, newsOf, taskSchema, wordsOf } from './taskFields'

const before = {
  ...blank(),
  name: 'Plumbing',
  description: 'Taps',
  category: 'Repairs',
  base_price: '499.00',
  pricing: 'fixed' as const,
}

describe('the form of a task', () => {
  it('sends only what was changed', () => {
    expect(changedTask(before, { ...before, search_words: ['leak'], travel_buffer_minutes: '20' })).toEqual({
      search_words: ['leak'],
    })
  })

  it("sends only the rules that were changed; an empty one returns to the marketplace's setting", () => {
    expect(changedRules(before, before)).toEqual({})
    expect(
      changedRules({ ...before, min_notice_minutes: '30' }, { ...before, travel_buffer_minutes: '20' }),
    ).toEqual({ min_notice_minutes: null, travel_buffer_minutes: 20 })
  })

  it('splits search keywords at commas, normalises spaces and drops duplicates', () => {
    expect(wordsOf(['leak, dripping  tap,', 'Leak', ' '])).toEqual(['leak', 'dripping tap'])
  })

  it('accepts rules within their bounds, or empty ones', () => {
    const fits = (travel_buffer_minutes: string) =>
      !validate(taskSchema, { ...before, travel_buffer_minutes }).errors
    expect(['', '0', '240'].map(fits)).toEqual([true, true, true])
    expect(['241', '-1', '1.5', 'ten'].map(fits)).toEqual([false, false, false, false])
  })
})

describe('what another changed meanwhile', () => {
  it('is merged where only one changed a field, and a conflict where both did', () => {
    const mine = { ...before, base_price: '599.00', isactive: false }
    const theirs = { ...before, base_price: '549.00', description: 'Taps and pipes', isactive: false }
    expect(newsOf(before, mine, theirs)).toEqual({
      taken: ['description'],
      clashes: [{ field: 'base_price', mine: '599.00', theirs: '549.00' }],
    })
  })
})
