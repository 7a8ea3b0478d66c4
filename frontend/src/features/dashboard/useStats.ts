/** The market's figures, for a span of days. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getStats } from '@/shared/api/generated'

export interface Span {
  from?: string
  to?: string
}

export function useStats(span: MaybeRefOrGetter<Span>) {
  return useQuery({
    queryKey: computed(() => ['stats', toValue(span)]),
    queryFn: async () => (await getStats({ query: toValue(span) })).data,
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  })
}
