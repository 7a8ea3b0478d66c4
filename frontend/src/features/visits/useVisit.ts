/** What can be done about a visit: its steps, and the link that shares it. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  arriveRequest,
  createRequestVisitLinkMutation,
  deleteRequestVisitLinkMutation,
  getRequestVisitLinkOptions,
  getVisitOptions,
  onTheWayRequest,
  runningLateRequest,
  startRequest,
  undoStepRequest,
} from '@/shared/api/generated'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { jittered } from '@/shared/lib/polling'
import { toProblem } from '@/shared/api/problem'

/** A page that is shared has no live updates; it asks every 20 seconds, at most 24. */
export const sharedInterval = 20_000

export type VisitAction =
  | { action: 'on_the_way'; minutes?: number }
  | { action: 'running_late'; minutes: number }
  | { action: 'arrive' }
  | { action: 'start'; code?: string }
  | { action: 'undo_step' }
type Call = VisitAction & { id: number; headers?: object }

function call({ id, headers, ...what }: Call): Promise<unknown> {
  const to = { path: { request_id: id }, headers: headers as Record<string, string> }
  switch (what.action) {
    case 'on_the_way':
      return onTheWayRequest({ ...to, body: what.minutes ? { eta_minutes: what.minutes } : {} })
    case 'running_late':
      return runningLateRequest({ ...to, body: { eta_minutes: what.minutes } })
    case 'arrive':
      return arriveRequest({ ...to, body: {} })
    case 'start':
      return startRequest({ ...to, body: what.code ? { code: what.code } : {} })
    case 'undo_step':
      return undoStepRequest({ path: to.path })
  }
}

export function useVisitAction() {
  return useApiMutation({ mutationFn: call }, { idempotent: true, invalidates: ['Requests', 'Schedule'] })
}

export function useVisitLink(id: MaybeRefOrGetter<number>) {
  const query = useQuery(computed(() => getRequestVisitLinkOptions({ path: { request_id: toValue(id) } })))
  const create = useApiMutation(createRequestVisitLinkMutation(), { success: 'visits.share.created' })
  const end = useApiMutation(deleteRequestVisitLinkMutation(), { success: 'visits.share.ended' })
  return { query, create, end }
}

/** A visit by its link. Once the link has ended, nobody asks again. */
export function useSharedVisit(token: MaybeRefOrGetter<string>) {
  return useQuery(
    computed(() => ({
      ...getVisitOptions({ path: { token: toValue(token) } }),
      retry: false,
      refetchInterval: (query: { state: { error: unknown } }) =>
        query.state.error && toProblem(query.state.error).status === 404 ? false : jittered(sharedInterval),
    })),
  )
}
