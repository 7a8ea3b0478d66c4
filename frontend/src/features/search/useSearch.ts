/** Looking for tasks: the address holds every filter, so that a link shows the same to everyone. */
import { toValue, type MaybeRefOrGetter } from 'vue'
import { getSearch, getSearchInfiniteOptions } from '@/shared/api/generated'
import type { TaskHit } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { isPincode } from '@/shared/lib/pincode'
import type { Filters } from './searchFields'

export const sorts = ['relevance', 'price', 'rating', 'distance'] as const
export type Sort = (typeof sorts)[number]

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
