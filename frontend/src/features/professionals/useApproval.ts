/** The way from a document to an approved professional, from both sides. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { onScopeDispose, ref, toValue, watch, type MaybeRefOrGetter } from 'vue'
import { http } from '@/shared/api/http'
import type { Account, Page } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { useSession } from '@/shared/session/store'

/** A private file as an address of this page only; it goes when the page does. */
export function useDocument(path: MaybeRefOrGetter<string | null>) {
  const url = ref<string | null>(null)
  const kind = ref('')
  const query = useQuery({
    queryKey: ['document', () => toValue(path)],
    queryFn: async () => (await http.get<Blob>(toValue(path) ?? '', { responseType: 'blob' })).data,
    enabled: () => toValue(path) !== null,
    staleTime: 60_000,
    gcTime: 0,
  })

  function release(): void {
    if (url.value) URL.revokeObjectURL(url.value)
    url.value = null
  }
  watch(
    query.data,
    (file) => {
      release()
      if (!file) return
      kind.value = file.type
      url.value = URL.createObjectURL(file)
    },
    { immediate: true },
  )
  onScopeDispose(release)
  return { url, kind, query }
}

export function useHandIn() {
  const session = useSession()
  const client = useQueryClient()
  const progress = ref<number | null>(null)

  const send = useMutation({
    mutationFn: (file: File) => {
      const form = new FormData()
      form.append('document', file)
      return http.put<Account>('/me/document', form, {
        timeout: 120_000,
        onUploadProgress: ({ loaded, total }) => {
          progress.value = total ? Math.round((loaded / total) * 100) : null
        },
      })
    },
    onSuccess: async ({ data }) => {
      session.user = data
      await client.invalidateQueries({ queryKey: ['document'] })
    },
    onSettled: () => {
      progress.value = null
    },
  })
  return { send, progress }
}

export function useWaitingList() {
  return useKeysetList<Account>({
    key: ['professionals', 'waiting'],
    load: async (cursor) => (await http.get<Page<Account>>('/professionals', { params: { approval: 'pending', cursor } })).data,
    every: 20_000,
  })
}

export function useDecision() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, ...decision }: { id: number; verb: 'approve' } | { id: number; verb: 'reject'; reason: string }) =>
      http.post<Account>(`/professionals/${id}/${decision.verb}`, decision.verb === 'reject' ? { reason: decision.reason } : {}),
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: ['professionals'] }), client.invalidateQueries({ queryKey: ['stats'] })]),
  })
}
