import { describe, expect, it } from 'vitest'
import { readQuery } from '@/shared/composables/useUrlFilters'
import { filtersOf, inboxFields } from './inbox'

describe('filtersOf', () => {
  it('reads filters from the URL and ignores unknown ones', () => {
    expect(filtersOf(readQuery(inboxFields, {}))).toEqual({ scope: 'open' })
    expect(filtersOf(readQuery(inboxFields, { show: 'fits' }))).toEqual({ scope: 'open', matching: 1 })
    expect(filtersOf(readQuery(inboxFields, { show: 'free', km: '25' }))).toEqual({
      scope: 'open',
      matching: 1,
      free: 1,
      max_km: 25,
    })
    expect(filtersOf(readQuery(inboxFields, { show: 'nonsense', km: '9999' }))).toEqual({ scope: 'open' })
  })
})
