/** Requests: lists, one of them, and what can be done to it. What is allowed comes from the server with each request. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { http } from '@/shared/api/http'
import type { Page, Review, TaskRequest, TaskRequestDetail } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'

export type Filters = Record<string, string | number | undefined>

/** Others act too: an open page looks again every few seconds, a hidden one does not. */
const look = 3_000

export function useRequestList(filters: MaybeRefOrGetter<Filters>, live = false) {
  return useKeysetList<TaskRequest>({
    key: computed(() => ['requests', 'list', toValue(filters)]),
    load: async (cursor) => (await http.get<Page<TaskRequest>>('/requests', { params: { ...toValue(filters), cursor } })).data,
    every: live ? look : false,
  })
}

export function useRequest(id: MaybeRefOrGetter<number>) {
  return useQuery({
    queryKey: computed(() => ['requests', toValue(id)]),
    queryFn: async () => (await http.get<TaskRequestDetail>(`/requests/${toValue(id)}`)).data,
    refetchInterval: (query) => (query.state.status === 'error' ? false : look),
  })
}

export const verbs = ['accept', 'reject', 'release', 'complete', 'close', 'cancel'] as const
export type Verb = (typeof verbs)[number]

export interface NewRequest {
  task_id: number
  date_of_request: string
  address?: string
  pincode?: string
  professional_id?: number
  remarks?: string
}

export type RequestEdit = Partial<Pick<TaskRequest, 'date_of_request' | 'address' | 'pincode' | 'remarks'>>

export function useRequestActions() {
  const client = useQueryClient()
  const refresh = () => client.invalidateQueries({ queryKey: ['requests'] })

  const create = useMutation({
    mutationFn: ({ key, ...body }: NewRequest & { key: string }) =>
      http.post<TaskRequest>('/requests', body, { headers: { 'Idempotency-Key': key } }),
    onSuccess: refresh,
  })
  const act = useMutation({
    mutationFn: ({ id, verb, ...body }: { id: number; verb: Verb; reason?: string; remarks?: string }) =>
      http.post<TaskRequest>(`/requests/${id}/${verb}`, body),
    onSettled: refresh,
  })
  const edit = useMutation({
    mutationFn: ({ id, ...body }: { id: number } & RequestEdit) => http.patch<TaskRequest>(`/requests/${id}`, body),
    onSettled: refresh,
  })
  const review = useMutation({
    mutationFn: ({ id, ...body }: { id: number; rating: number; comment?: string }) => http.post<Review>(`/requests/${id}/review`, body),
    onSettled: refresh,
  })
  return { create, act, edit, review }
}
