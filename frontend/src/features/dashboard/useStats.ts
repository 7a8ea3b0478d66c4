/** The marketplace's statistics for a range of dates. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getStatsOptions, type Stats } from '@/shared/api/generated'
import { pollEvery } from '@/shared/lib/polling'

export interface Span {
  from?: string
  to?: string
}

export function useStats(span: MaybeRefOrGetter<Span>) {
  const refetchInterval = pollEvery(60_000)
  return useQuery(
    computed(() => ({
      ...getStatsOptions({ query: toValue(span) }),
      placeholderData: keepPreviousData<Stats>,
      refetchInterval,
    })),
  )
}
