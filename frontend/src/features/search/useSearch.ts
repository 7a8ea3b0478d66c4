/** Looking for tasks: the address holds every filter, so that a link shows the same to everyone. */
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import type { LocationQuery } from 'vue-router'
import { getSearch, type SearchResult } from '@/shared/api/generated'
import type { TaskHit } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'

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
  const sort = sorts.find((candidate) => candidate === query.sort)
  if (sort && (sort !== 'distance' || filters.pincode || filters.location)) filters.sort = sort
  return filters
}

/** What was typed as a place: six digits are a pincode, anything else a name. */
export function placeOf(typed: string): Pick<Filters, 'pincode' | 'location'> {
  const place = typed.trim()
  if (!place) return {}
  return /^\d{6}$/.test(place) ? { pincode: place } : { location: place }
}

/** The address holds words; the API takes some of them as numbers. */
function asked({ radius_km, min_rating, ...rest }: Filters) {
  return { ...rest, ...(radius_km && { radius_km: Number(radius_km) }), ...(min_rating && { min_rating: Number(min_rating) }) }
}

export function useSearch(filters: MaybeRefOrGetter<Filters>, limit = 20) {
  return useKeysetList<TaskHit, SearchResult>({
    key: computed(() => ['search', toValue(filters), limit]),
    load: async (cursor) => (await getSearch({ query: { ...asked(toValue(filters)), limit, cursor } })).data,
  })
}

export async function suggestTasks(q: string, signal: AbortSignal): Promise<TaskHit[]> {
  return (await getSearch({ query: { q, limit: 6 }, signal })).data.items
}

const remembered = 'doorstep-place'
export const rememberedPlace = (): string => localStorage.getItem(remembered) ?? ''
export function rememberPlace(place: string): void {
  if (place) localStorage.setItem(remembered, place)
}
