import { describe, expect, it } from 'vitest'
import { filtersOf } from './inbox'

describe('filtersOf', () => {
  it('reads filters from the URL and ignores unknown ones', () => {
    expect(filtersOf({})).toEqual({ scope: 'open' })
    expect(filtersOf({ show: 'fits' })).toEqual({ scope: 'open', matching: 1 })
    expect(filtersOf({ show: 'free', km: '25' })).toEqual({ scope: 'open', matching: 1, free: 1, max_km: 25 })
    expect(filtersOf({ show: 'nonsense', km: '9999' })).toEqual({ scope: 'open' })
  })
})
