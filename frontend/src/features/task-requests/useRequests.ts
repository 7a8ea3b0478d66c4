/** Requests: lists, one of them, and what can be done to it. What is allowed comes from the server with each request. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  acceptRequest,
  cancelRequest,
  closeRequest,
  completeRequest,
  getMyInboxOptions,
  getRequestOptions,
  listRequestsInfiniteOptions,
  rejectRequest,
  releaseRequest,
  type ListRequestsData,
  type RejectReason,
} from '@/shared/api/generated'
import { withUnsent } from '@/features/visits'
import type { Tag } from '@/shared/api/invalidate'
import type { TaskRequestDetail } from '@/shared/api/types'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { unsentOf } from '@/shared/offline/unsent'
import { pollEvery, withoutLive } from '@/shared/lib/polling'

export type Filters = NonNullable<ListRequestsData['query']>

export function useRequestList(filters: MaybeRefOrGetter<Filters>, polls = false) {
  return useKeysetList(
    () => listRequestsInfiniteOptions({ query: toValue(filters) }),
    polls ? { every: withoutLive } : {},
  )
}

export function useRequest(id: MaybeRefOrGetter<number>) {
  const refetchInterval = pollEvery(withoutLive)
  return useQuery(
    computed(() => {
      const waiting = unsentOf(toValue(id))
      return {
        ...getRequestOptions({ path: { request_id: toValue(id) } }),
        select: (request: TaskRequestDetail) => withUnsent(request, waiting),
        refetchInterval,
      }
    }),
  )
}

/** How many requests wait for a professional, and how many of them are new. */
export function useInbox() {
  return useQuery({ ...getMyInboxOptions(), refetchInterval: pollEvery(withoutLive) })
}

export const verbs = ['accept', 'reject', 'release', 'complete', 'close', 'cancel'] as const
export type Verb = (typeof verbs)[number]

export interface RequestAction {
  id: number
  verb: Verb
  /** The reason, or closing remarks. */
  words: string
  code?: RejectReason['reason_code']
}

function call({ id, verb, words, code }: RequestAction): Promise<unknown> {
  const path = { request_id: id }
  switch (verb) {
    case 'accept':
      return acceptRequest({ path })
    case 'complete':
      return completeRequest({ path })
    case 'close':
      return closeRequest({ path, body: words ? { remarks: words } : {} })
    case 'reject':
      return rejectRequest({ path, body: { reason: words, ...(code && { reason_code: code }) } })
    case 'release':
      return releaseRequest({ path, body: { reason: words } })
    case 'cancel':
      return cancelRequest({ path, body: { reason: words } })
  }
}

/** Tags of what changes with a request: lists, the inbox, and the days of its professional. */
export const requestTags: readonly Tag[] = ['Requests', 'Schedule']

export function useActOnRequest() {
  return useApiMutation({ mutationFn: call }, { invalidates: requestTags })
}
