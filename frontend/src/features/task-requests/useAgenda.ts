/** A professional's days, and when they work. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getMyAgendaOptions, type Agenda } from '@/shared/api/generated'
import { pollEvery, withoutLive } from '@/shared/lib/polling'
import { shiftDay } from '@/shared/lib/marketTime'
import { toDays } from './agenda'

export function useAgenda(from: MaybeRefOrGetter<string>, to: MaybeRefOrGetter<string>) {
  const refetchInterval = pollEvery(withoutLive)
  return useQuery(
    computed(() => ({
      ...getMyAgendaOptions({ query: { from: shiftDay(toValue(from), -1), to: toValue(to) } }),
      select: ({ items }: Agenda) => toDays(items),
      placeholderData: keepPreviousData<Agenda>,
      refetchInterval,
    })),
  )
}
