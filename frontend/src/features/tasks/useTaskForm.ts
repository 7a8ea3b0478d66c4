/** Filling in a task's form: reading, sending what was changed, and meeting what another admin changed meanwhile. */
import { useQueryClient } from '@tanstack/vue-query'
import { reactive, ref, shallowRef } from 'vue'
import { createTask, getTask, getTaskPolicy, putTaskPolicy, updateTask } from '@/shared/api/generated'
import { ifMatch, versioned } from '@/shared/api/etag'
import { assertCurrent, currentIdentity } from '@/shared/api/identity'
import { invalidate } from '@/shared/api/invalidate'
import { toProblem } from '@/shared/api/problem'
import {
  blank,
  changedRules,
  changedTask,
  newsOf,
  taskOf,
  valuesOf,
  type Field,
  type FormValues,
  type News,
} from './taskFields'
import { taskTags } from './useTasks'

interface Read {
  values: FormValues
  etag: string | undefined
}

async function read(id: number): Promise<Read> {
  const [task, policy] = await Promise.all([
    getTask({ path: { task_id: id } }),
    getTaskPolicy({ path: { task_id: id } }),
  ])
  return { values: valuesOf(task.data, policy.data.own), etag: versioned(task).etag }
}

export function useTaskForm(first: number | null) {
  const client = useQueryClient()
  const state = reactive(blank())
  const ready = ref(first === null)
  const failed = shallowRef<unknown>(null)
  const news = shallowRef<News | null>(null)
  let id = first
  let known: Read = { values: blank(), etag: undefined }

  async function load(): Promise<void> {
    if (id === null) return
    failed.value = null
    try {
      known = await read(id)
      Object.assign(state, structuredClone(known.values))
      ready.value = true
    } catch (error) {
      failed.value = error
    }
  }

  async function sendTask(values: FormValues): Promise<void> {
    if (id === null) {
      const { data, etag } = versioned(await createTask({ body: taskOf(values) }))
      id = data.id
      known = { values: { ...blank(), ...taskOf(values) }, etag }
      return
    }
    const changes = changedTask(known.values, values)
    if (!Object.keys(changes).length) return
    const call = updateTask({ path: { task_id: id }, body: changes, headers: ifMatch(known.etag) })
    known = { values: { ...known.values, ...changes }, etag: versioned(await call).etag }
  }

  async function sendRules(values: FormValues): Promise<void> {
    const changes = changedRules(known.values, values)
    if (id === null || !Object.keys(changes).length) return
    const path = { task_id: id }
    // The call replaces all rules: those left alone stay as they are by now.
    const { data } = await getTaskPolicy({ path })
    await putTaskPolicy({ path, body: { ...data.own, ...changes } })
  }

  /** What the other left alone stays as it was typed; what only the other changed is taken over. */
  async function meet(task: number): Promise<void> {
    const now = await read(task)
    news.value = newsOf(known.values, state, now.values)
    for (const field of news.value.taken)
      Object.assign(state, { [field]: structuredClone(now.values[field]) })
    known = now
  }

  /** False when someone else was faster: then `news` holds what they changed, and saving again decides. */
  async function save(values: FormValues): Promise<boolean> {
    const caller = currentIdentity()
    try {
      await sendTask(values)
      // Another account that signed in meanwhile must not send the second half.
      assertCurrent(caller)
      await sendRules(values)
      return true
    } catch (error) {
      if (toProblem(error).status !== 412 || id === null) throw error
      await meet(id)
      return false
    } finally {
      void invalidate(client, taskTags)
    }
  }

  const settle = (field: Field, value: unknown) => Object.assign(state, { [field]: value })
  return { state, ready, failed, news, load, save, settle }
}
