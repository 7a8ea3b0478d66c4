/** A professional's days: what is to be done in them, and when one works. */
import { useMutation, useQuery, useQueryClient, keepPreviousData } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getMyAgenda, getMyHours, putMyHours, type Agenda, type WorkingHours } from '@/shared/api/generated'
import type { Signalled } from '@/shared/api/types'
import { pollEvery } from '@/shared/lib/polling'
import { shiftDay } from '@/shared/lib/marketTime'
import { toDays } from './agenda'

export function useAgenda(from: MaybeRefOrGetter<string>, to: MaybeRefOrGetter<string>) {
  const refetchInterval = pollEvery(30_000)
  return useQuery(
    computed(() => {
      const [first, last] = [toValue(from), toValue(to)]
      return {
        queryKey: ['requests', 'agenda', first, last],
        queryFn: async ({ signal }: Signalled) =>
          (await getMyAgenda({ query: { from: shiftDay(first, -1), to: last }, signal })).data,
        select: ({ items }: Agenda) => toDays(items),
        placeholderData: keepPreviousData,
        refetchInterval,
      }
    }),
  )
}

export function useHours() {
  const client = useQueryClient()
  const query = useQuery({
    queryKey: ['requests', 'hours'],
    queryFn: async ({ signal }) => (await getMyHours({ signal })).data,
  })
  const save = useMutation({
    mutationFn: async (body: WorkingHours) => (await putMyHours({ body })).data,
    onSuccess: (data) => {
      client.setQueryData(['requests', 'hours'], data)
      return client.invalidateQueries({ queryKey: ['requests'] })
    },
  })
  return { query, save }
}
