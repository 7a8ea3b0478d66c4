/** Tasks: reading them, and for admins making, changing and taking them away. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  deleteTask,
  getTask,
  getTaskTimes,
  listTaskProfessionals,
  listTasks,
  updateTask,
} from '@/shared/api/generated'
import type { PublicProfile, Signalled, Task } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { fromIso } from '@/shared/lib/marketTime'
import type { TaskValues } from './taskFields'

interface TaskFilters {
  q?: string
  category?: string
}

export function useTaskList(filters: MaybeRefOrGetter<TaskFilters>) {
  return useKeysetList<Task, TaskFilters>({
    key: ['tasks', 'list'],
    filters,
    load: async ({ filters: asked, cursor, signal }) =>
      (await listTasks({ query: { ...asked, cursor, limit: 50 }, signal })).data,
  })
}

/** Every task that is offered, for choosing among them. */
export function useOfferedTasks() {
  return useQuery({
    queryKey: ['tasks', 'offered'],
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

export function useTask(id: MaybeRefOrGetter<number>) {
  return useQuery(
    computed(() => {
      const path = { task_id: toValue(id) }
      return {
        queryKey: ['tasks', path.task_id],
        queryFn: async ({ signal }: Signalled) => {
          const { data, headers } = await getTask({ path, signal })
          return { task: data, etag: typeof headers.etag === 'string' ? headers.etag : undefined }
        },
      }
    }),
  )
}

export function useTaskProfessionals(
  id: MaybeRefOrGetter<number>,
  pincode: MaybeRefOrGetter<string | undefined>,
  enabled: MaybeRefOrGetter<boolean>,
) {
  return useKeysetList<PublicProfile, { task_id: number; pincode?: string }>({
    key: ['tasks', 'professionals'],
    filters: () => ({ task_id: toValue(id), pincode: toValue(pincode) || undefined }),
    load: async ({ filters: { task_id, pincode: place }, cursor, signal }) =>
      (await listTaskProfessionals({ path: { task_id }, query: { pincode: place, cursor }, signal })).data,
    enabled,
  })
}

/** Times of a day at which someone can come to a place, as they are read there: '09:30'. */
export function useOfferedTimes(
  id: MaybeRefOrGetter<number>,
  where: MaybeRefOrGetter<{ pincode?: string; day: string; professional?: number }>,
) {
  return useQuery(
    computed(() => {
      const task_id = toValue(id)
      const { pincode = '', day, professional } = toValue(where)
      return {
        queryKey: ['tasks', task_id, 'times', { pincode, day, professional }],
        queryFn: async ({ signal }: Signalled) => {
          const { data } = await getTaskTimes({
            path: { task_id },
            query: { pincode, date: day, professional_id: professional },
            signal,
          })
          return data.items.map(({ at }) => fromIso(at).time)
        },
        enabled: Boolean(pincode && day),
        // Asking someone else keeps the day's times in place until theirs are known; another day's times would mislead.
        placeholderData: (before: string[] | undefined, query?: { queryKey: readonly unknown[] }) =>
          (query?.queryKey[3] as { day?: string } | undefined)?.day === day ? before : undefined,
        staleTime: 30_000,
      }
    }),
  )
}

export function useTaskEdits() {
  const client = useQueryClient()
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: ['tasks'] }),
      client.invalidateQueries({ queryKey: ['search'] }),
    ])

  const change = useMutation({
    mutationFn: ({ id, values }: { id: number; values: Partial<TaskValues> }) =>
      updateTask({ path: { task_id: id }, body: values }),
    onSettled: refresh,
  })
  const remove = useMutation({
    mutationFn: (id: number) => deleteTask({ path: { task_id: id } }),
    onSettled: refresh,
  })
  return { change, remove }
}
