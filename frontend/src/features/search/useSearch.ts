/** Looking for tasks: the address holds every filter, so that a link shows the same to everyone. */
import { useQueryClient } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'
import { getSearch, getSearchInfiniteOptions, type SearchResult } from '@/shared/api/generated'
import type { TaskHit } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { takeFirstData } from '@/shared/lib/firstData'
import type { Filters } from './searchFields'

/** The address holds words; the API takes some of them as numbers. */
function asked({ radius_km, min_rating, ...rest }: Filters) {
  return {
    ...rest,
    ...(radius_km && { radius_km: Number(radius_km) }),
    ...(min_rating && { min_rating: Number(min_rating) }),
  }
}

export function useSearch(filters: MaybeRefOrGetter<Filters>, limit = 20) {
  const options = () => getSearchInfiniteOptions({ query: { ...asked(toValue(filters)), limit } })
  const first = takeFirstData<SearchResult>()
  if (first) useQueryClient().setQueryData(options().queryKey, { pages: [first], pageParams: [null] })
  return useKeysetList(options)
}

export async function suggestTasks(q: string, signal: AbortSignal): Promise<TaskHit[]> {
  return (await getSearch({ query: { q, limit: 6 }, signal })).data.items
}
