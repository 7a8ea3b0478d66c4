/** Tasks as they are offered: the list for choosing, who does them, and when they can come. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  getTaskTimesOptions,
  listTasks,
  listTasksQueryKey,
  type GetTaskTimesResponse,
} from '@/shared/api/generated'
import type { Tag } from '@/shared/api/invalidate'
import type { Task } from '@/shared/api/types'
import { fromIso } from '@/shared/lib/marketTime'

/** Every task that is offered, for choosing among them. */
export function useOfferedTasks() {
  return useQuery({
    queryKey: [...listTasksQueryKey(), 'all offered'],
    queryFn: async ({ signal }) => {
      const all: Task[] = []
      let cursor: string | null | undefined
      do {
        const { data } = await listTasks({ query: { limit: 100, cursor }, signal })
        all.push(...data.items)
        cursor = data.next_cursor
      } while (cursor && all.length < 1000)
      return all.filter((task) => task.isactive === 1)
    },
    staleTime: 300_000,
  })
}

/** Times of a day at which someone can come to a place, in the marketplace's time zone: '09:30'. */
export function useOfferedTimes(
  id: MaybeRefOrGetter<number>,
  where: MaybeRefOrGetter<{ pincode?: string; day: string; professional?: number }>,
) {
  return useQuery(
    computed(() => {
      const { pincode = '', day, professional } = toValue(where)
      return {
        ...getTaskTimesOptions({
          path: { task_id: toValue(id) },
          query: { pincode, date: day, professional_id: professional },
        }),
        select: ({ items }: GetTaskTimesResponse) => items.map(({ at }) => fromIso(at).time),
        enabled: Boolean(pincode && day),
        // Asking someone else keeps the day's times in place until theirs are known; another day's times would mislead.
        placeholderData: (
          before: GetTaskTimesResponse | undefined,
          query?: { queryKey: readonly [{ query?: { date?: string } }] },
        ) => (query?.queryKey[0].query?.date === day ? before : undefined),
        staleTime: 30_000,
      }
    }),
  )
}

/** Tags of what changes with a task. */
export const taskTags: readonly Tag[] = ['Tasks', 'Search', 'Settings']
