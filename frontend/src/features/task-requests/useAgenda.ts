/** A professional's days: what is to be done in them, and when one works. */
import { useMutation, useQuery, useQueryClient, keepPreviousData } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getMyAgenda, getMyHours, putMyHours, type WorkingHours } from '@/shared/api/generated'
import { shiftDay } from '@/shared/lib/marketTime'
import { toDays } from './agenda'

export function useAgenda(from: MaybeRefOrGetter<string>, to: MaybeRefOrGetter<string>) {
  return useQuery({
    queryKey: computed(() => ['requests', 'agenda', toValue(from), toValue(to)]),
    queryFn: async () => (await getMyAgenda({ query: { from: shiftDay(toValue(from), -1), to: toValue(to) } })).data,
    select: ({ items }) => toDays(items),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  })
}

export function useHours() {
  const client = useQueryClient()
  const query = useQuery({ queryKey: ['requests', 'hours'], queryFn: async () => (await getMyHours()).data })
  const save = useMutation({
    mutationFn: async (body: WorkingHours) => (await putMyHours({ body })).data,
    onSuccess: (data) => {
      client.setQueryData(['requests', 'hours'], data)
      return client.invalidateQueries({ queryKey: ['requests'] })
    },
  })
  return { query, save }
}
