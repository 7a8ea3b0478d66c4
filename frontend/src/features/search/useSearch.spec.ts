import type { LocationQuery } from 'vue-router'
import { describe, expect, it } from 'vitest'
import { readQuery } from '@/shared/composables/useUrlFilters'
import { placed, placeOf, searchFields } from './searchFields'

const readFilters = (query: LocationQuery) => placed(readQuery(searchFields, query))

describe('readFilters', () => {
  it('reads known filters and drops the rest', () => {
    expect(
      readFilters({
        q: ' tap ',
        pincode: '560025',
        sort: 'distance',
        evil: 'x',
        category: ['a', 'b'],
        location: '',
      }),
    ).toEqual({ q: 'tap', pincode: '560025', sort: 'distance' })
  })

  it('reads a pincode from the combined place field', () => {
    expect(readFilters({ q: '', location: '560025' })).toEqual({ pincode: '560025' })
    expect(readFilters({ location: 'Bengaluru' })).toEqual({ location: 'Bengaluru' })
  })

  it('does not sort by distance without a place', () => {
    expect(readFilters({ sort: 'distance' })).toEqual({})
    expect(readFilters({ sort: 'sideways' })).toEqual({})
  })
})

describe('placeOf', () => {
  it.each([
    ['560025', { pincode: '560025' }],
    [' Bengaluru ', { location: 'Bengaluru' }],
    ['5600', { location: '5600' }],
    ['012345', { location: '012345' }],
    ['  ', {}],
  ])('%s', (typed, place) => expect(placeOf(typed)).toEqual(place))
})
