/** Requests: lists, one of them, and what can be done to it. What is allowed comes from the server with each request. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  acceptRequest,
  cancelRequest,
  closeRequest,
  completeRequest,
  createRequest,
  getMyInbox,
  getRequest,
  listRequests,
  markInboxSeen,
  rejectRequest,
  releaseRequest,
  reviewRequest,
  updateRequest,
  type ListRequestsData,
  type NewRequest,
  type RejectReason,
  type RequestEdit,
} from '@/shared/api/generated'
import type { Signalled, TaskRequest } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { pollEvery } from '@/shared/lib/polling'

export type Filters = NonNullable<ListRequestsData['query']>

/** Others act too: an open page asks again every few seconds, a hidden one does not. */
const live = 3_000

export function useRequestList(filters: MaybeRefOrGetter<Filters>, polls = false) {
  return useKeysetList<TaskRequest, Filters>({
    key: ['requests', 'list'],
    filters,
    load: async ({ filters: asked, cursor, signal }) =>
      (await listRequests({ query: { ...asked, cursor }, signal })).data,
    ...(polls && { every: live }),
  })
}

export function useRequest(id: MaybeRefOrGetter<number>) {
  const next = pollEvery(live)
  return useQuery(
    computed(() => {
      const path = { request_id: toValue(id) }
      return {
        queryKey: ['requests', path.request_id],
        queryFn: async ({ signal }: Signalled) => (await getRequest({ path, signal })).data,
        refetchInterval: next,
      }
    }),
  )
}

/** How much waits for a professional, and how much of it is new. */
export function useInbox() {
  const client = useQueryClient()
  const key = ['requests', 'inbox']
  const query = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => (await getMyInbox({ signal })).data,
    refetchInterval: pollEvery(30_000),
  })
  const seen = useMutation({
    mutationFn: async () => (await markInboxSeen()).data,
    onSuccess: (data) => client.setQueryData(key, data),
  })
  return { query, seen }
}

export const verbs = ['accept', 'reject', 'release', 'complete', 'close', 'cancel'] as const
export type Verb = (typeof verbs)[number]

/** Each verb with what it takes: words of reason, closing remarks, or nothing. */
function call(id: number, verb: Verb, words: string, code?: RejectReason['reason_code']) {
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

export function useRequestMutations() {
  const client = useQueryClient()
  const refresh = () => client.invalidateQueries({ queryKey: ['requests'] })

  const create = useMutation({
    mutationFn: ({ key, ...body }: NewRequest & { key: string }) =>
      createRequest({ body, headers: { 'Idempotency-Key': key } }),
    onSuccess: refresh,
  })
  const act = useMutation({
    mutationFn: ({
      id,
      verb,
      words,
      code,
    }: {
      id: number
      verb: Verb
      words: string
      code?: RejectReason['reason_code']
    }) => call(id, verb, words, code),
    onSettled: refresh,
  })
  const edit = useMutation({
    mutationFn: ({ id, ...body }: { id: number } & RequestEdit) =>
      updateRequest({ path: { request_id: id }, body }),
    onSettled: refresh,
  })
  const review = useMutation({
    mutationFn: ({ id, ...body }: { id: number; rating: number; comment?: string }) =>
      reviewRequest({ path: { request_id: id }, body }),
    onSettled: refresh,
  })
  return { create, act, edit, review }
}
