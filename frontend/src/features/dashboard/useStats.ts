/** The market's figures. What a figure is called decides how it is shown; an unknown one is left out. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { http } from '@/shared/api/http'

export interface Span {
  from?: string
  to?: string
}
export type Stats = Record<string, unknown>

export function useStats(span: MaybeRefOrGetter<Span>) {
  return useQuery({
    queryKey: computed(() => ['stats', toValue(span)]),
    queryFn: async () => (await http.get<Stats>('/stats', { params: toValue(span) })).data,
    placeholderData: keepPreviousData,
    refetchInterval: 60_000,
  })
}
