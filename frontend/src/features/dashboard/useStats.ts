/** The marketplace's statistics for a range of dates. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getStats, type Stats } from '@/shared/api/generated'
import type { Signalled } from '@/shared/api/types'
import { pollEvery } from '@/shared/lib/polling'

export interface Span {
  from?: string
  to?: string
}

export function useStats(span: MaybeRefOrGetter<Span>) {
  const refetchInterval = pollEvery(60_000)
  return useQuery(
    computed(() => {
      const query = { ...toValue(span) }
      return {
        queryKey: ['stats', query],
        queryFn: async ({ signal }: Signalled) => (await getStats({ query, signal })).data,
        placeholderData: keepPreviousData<Stats>,
        refetchInterval,
      }
    }),
  )
}
