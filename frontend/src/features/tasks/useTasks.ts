/** Tasks: reading them, and for admins making, changing and taking them away. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { deleteTask, getTask, getTaskTimes, listTaskProfessionals, listTasks, updateTask } from '@/shared/api/generated'
import type { PublicProfile, Task } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { fromIso } from '@/shared/lib/marketTime'
import type { TaskValues } from './taskFields'

export function useTaskList(filters: MaybeRefOrGetter<{ q?: string; category?: string }>) {
  return useKeysetList<Task>({
    key: computed(() => ['tasks', 'list', toValue(filters)]),
    load: async (cursor) => (await listTasks({ query: { ...toValue(filters), cursor, limit: 50 } })).data,
  })
}

/** Every task that is offered, for choosing among them. */
export function useOfferedTasks() {
  return useQuery({
    queryKey: ['tasks', 'offered'],
    queryFn: async () => {
      const all: Task[] = []
      let cursor: string | null | undefined
      do {
        const { data } = await listTasks({ query: { limit: 100, cursor } })
        all.push(...data.items)
        cursor = data.next_cursor
      } while (cursor && all.length < 1000)
      return all.filter((task) => task.isactive === 1)
    },
    staleTime: 300_000,
  })
}

export function useTask(id: MaybeRefOrGetter<number>) {
  return useQuery({
    queryKey: computed(() => ['tasks', toValue(id)]),
    queryFn: async () => {
      const { data, headers } = await getTask({ path: { task_id: toValue(id) } })
      return { task: data, etag: typeof headers.etag === 'string' ? headers.etag : undefined }
    },
  })
}

export function useTaskProfessionals(id: MaybeRefOrGetter<number>, pincode: MaybeRefOrGetter<string | undefined>, enabled: MaybeRefOrGetter<boolean>) {
  return useKeysetList<PublicProfile>({
    key: computed(() => ['tasks', toValue(id), 'professionals', toValue(pincode)]),
    load: async (cursor) =>
      (await listTaskProfessionals({ path: { task_id: toValue(id) }, query: { pincode: toValue(pincode) || undefined, cursor } })).data,
    enabled,
  })
}

/** Times of a day at which someone can come to a place, as they are read there: '09:30'. */
export function useOfferedTimes(id: MaybeRefOrGetter<number>, where: MaybeRefOrGetter<{ pincode?: string; day: string; professional?: number }>) {
  return useQuery({
    queryKey: computed(() => ['tasks', toValue(id), 'times', toValue(where)]),
    queryFn: async () => {
      const { pincode = '', day, professional } = toValue(where)
      const { data } = await getTaskTimes({ path: { task_id: toValue(id) }, query: { pincode, date: day, professional_id: professional } })
      return data.items.map(({ at }) => fromIso(at).time)
    },
    enabled: () => Boolean(toValue(where).pincode && toValue(where).day),
    // Asking someone else keeps the day's times in place until theirs are known; another day's times would mislead.
    placeholderData: (before: string[] | undefined, query) => ((query?.queryKey[3] as { day?: string } | undefined)?.day === toValue(where).day ? before : undefined),
    staleTime: 30_000,
  })
}

export function useTaskEdits() {
  const client = useQueryClient()
  const refresh = () => Promise.all([client.invalidateQueries({ queryKey: ['tasks'] }), client.invalidateQueries({ queryKey: ['search'] })])

  const change = useMutation({
    mutationFn: ({ id, values }: { id: number; values: Partial<TaskValues> }) => updateTask({ path: { task_id: id }, body: values }),
    onSettled: refresh,
  })
  const remove = useMutation({ mutationFn: (id: number) => deleteTask({ path: { task_id: id } }), onSettled: refresh })
  return { change, remove }
}
