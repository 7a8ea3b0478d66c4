/** Looking for tasks: the address holds every filter, so that a link shows the same to everyone. */
import { toValue, type MaybeRefOrGetter } from 'vue'
import type { LocationQuery } from 'vue-router'
import { getSearch, getSearchInfiniteOptions } from '@/shared/api/generated'
import type { TaskHit } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { isPincode } from '@/shared/lib/pincode'

export const sorts = ['relevance', 'price', 'rating', 'distance'] as const
export type Sort = (typeof sorts)[number]

export interface Filters {
  q?: string
  pincode?: string
  location?: string
  category?: string
  max_price?: string
  min_rating?: string
  radius_km?: string
  sort?: Sort
}

const names = ['q', 'pincode', 'location', 'category', 'max_price', 'min_rating', 'radius_km'] as const

/** Takes from an address what makes sense and nothing else. */
export function readFilters(query: LocationQuery): Filters {
  const filters: Filters = {}
  for (const name of names) {
    const value = query[name]
    if (typeof value === 'string' && value.trim()) filters[name] = value.trim()
  }
  // The form of the page drawn ahead has one field for both kinds of place.
  if (filters.location) Object.assign(filters, { location: undefined }, placeOf(filters.location))
  const sort = sorts.find((candidate) => candidate === query.sort)
  if (sort && (sort !== 'distance' || filters.pincode || filters.location)) filters.sort = sort
  return filters
}

/** What was typed as a place: six digits are a pincode, anything else a name. */
export function placeOf(typed: string): Pick<Filters, 'pincode' | 'location'> {
  const place = typed.trim()
  if (!place) return {}
  return isPincode(place) ? { pincode: place } : { location: place }
}

/** The address holds words; the API takes some of them as numbers. */
function asked({ radius_km, min_rating, ...rest }: Filters) {
  return {
    ...rest,
    ...(radius_km && { radius_km: Number(radius_km) }),
    ...(min_rating && { min_rating: Number(min_rating) }),
  }
}

export function useSearch(filters: MaybeRefOrGetter<Filters>, limit = 20) {
  return useKeysetList(() => getSearchInfiniteOptions({ query: { ...asked(toValue(filters)), limit } }))
}

export async function suggestTasks(q: string, signal: AbortSignal): Promise<TaskHit[]> {
  return (await getSearch({ query: { q, limit: 6 }, signal })).data.items
}
