/** A professional's days, and when they work. */
import { keepPreviousData, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getMyAgendaOptions, type Agenda } from '@/shared/api/generated'
import { pollEvery, withoutLive } from '@/shared/lib/polling'
import { shiftDay } from '@/shared/lib/marketTime'
import { toDays } from './agenda'

/** The days from one to another, after the day before them: what is done in its night goes on in the first. */
export const agendaOptions = (from: string, to: string) =>
  getMyAgendaOptions({ query: { from: shiftDay(from, -1), to } })

export function useAgenda(from: MaybeRefOrGetter<string>, to: MaybeRefOrGetter<string>) {
  const refetchInterval = pollEvery(withoutLive)
  return useQuery(
    computed(() => ({
      ...agendaOptions(toValue(from), toValue(to)),
      select: ({ items }: Agenda) => toDays(items),
      placeholderData: keepPreviousData<Agenda>,
      refetchInterval,
    })),
  )
}
