/** What can be done about a visit: its steps, and the link that shares it. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  createRequestVisitLinkMutation,
  deleteRequestVisitLinkMutation,
  getRequestVisitLinkOptions,
  getVisitOptions,
  startRequestMutation,
  undoStepRequestMutation,
} from '@/shared/api/generated'
import type { TaskRequest } from '@/shared/api/types'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { jittered } from '@/shared/lib/polling'
import { toProblem } from '@/shared/api/problem'
import { takeStep, type VisitStep } from './visitQueue'

/** A page that is shared has no live updates; it asks every 20 seconds, at most 24. */
export const sharedInterval = 20_000

/** A step of the professional: kept on the device until the server has answered. */
export function useVisitStep(request: MaybeRefOrGetter<TaskRequest>) {
  return useApiMutation(
    { mutationFn: (step: VisitStep) => takeStep(toValue(request), step) },
    { invalidates: ['Requests', 'Schedule'] },
  )
}

/** The customer's confirmation that the professional is there. */
export function useConfirmation() {
  return useApiMutation(startRequestMutation(), { idempotent: true, invalidates: ['Requests', 'Schedule'] })
}

export function useUndoStep() {
  return useApiMutation(undoStepRequestMutation(), { invalidates: ['Requests', 'Schedule'] })
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
