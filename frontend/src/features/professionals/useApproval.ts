/** The way from a document to an approved professional, from both sides. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, onScopeDispose, ref, toValue, watch, type MaybeRefOrGetter } from 'vue'
import {
  approveProfessional,
  getMyDocument,
  getProfessionalDocument,
  listProfessionals,
  putMyDocument,
  rejectProfessional,
  type SubmittedDocument,
} from '@/shared/api/generated'
import { uploadTimeout } from '@/shared/api/http'
import type { UserAccount, Signalled } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { useSession } from '@/shared/session/store'

async function readPage(id: number | null, page: number, signal: AbortSignal): Promise<Blob> {
  const query = { page }
  const { data } = await (id === null
    ? getMyDocument({ query, signal })
    : getProfessionalDocument({ path: { professional_id: id }, query, signal }))
  return data as Blob
}
type Reviewed = Pick<SubmittedDocument, 'id'> | null | undefined
/** Under the document, not its owner: a picture of a replaced document must not stand for the new one. */
const pageKey = (document: Reviewed, page: number) => ['document', document?.id ?? null, page] as const

/** Reads the first page of someone's document before it is looked at. */
export function useDocumentAhead() {
  const client = useQueryClient()
  return (person: UserAccount | undefined) => {
    if (person?.document)
      void client.prefetchQuery({
        queryKey: pageKey(person.document, 1),
        queryFn: ({ signal }) => readPage(person.id, 1, signal),
        staleTime: 60_000,
        gcTime: 60_000,
      })
  }
}

/** One page of a document, rendered by the server as a picture, so that nothing in the file runs; `owner` null: the user's own. */
export function useDocumentPage(
  owner: MaybeRefOrGetter<number | null>,
  document: MaybeRefOrGetter<Reviewed>,
  page: MaybeRefOrGetter<number>,
) {
  const url = ref<string | null>(null)
  const query = useQuery(
    computed(() => {
      const [id, number] = [toValue(owner), toValue(page)]
      return {
        queryKey: pageKey(toValue(document), number),
        queryFn: ({ signal }: Signalled) => readPage(id, number, signal),
        staleTime: 60_000,
        gcTime: 0,
      }
    }),
  )

  function release(): void {
    if (url.value) URL.revokeObjectURL(url.value)
    url.value = null
  }
  watch(
    query.data,
    (file) => {
      release()
      if (file) url.value = URL.createObjectURL(file)
    },
    { immediate: true },
  )
  onScopeDispose(release)
  return { url, query }
}

export function useHandIn() {
  const session = useSession()
  const client = useQueryClient()
  const progress = ref<number | null>(null)

  const send = useMutation({
    mutationFn: (file: File) =>
      putMyDocument({
        body: { document: file },
        timeout: uploadTimeout,
        onUploadProgress: ({ loaded, total }) => {
          progress.value = total ? Math.round((loaded / total) * 100) : null
        },
      }),
    onSuccess: async ({ data }) => {
      session.update(data)
      await client.invalidateQueries({ queryKey: ['document'] })
    },
    onSettled: () => {
      progress.value = null
    },
  })
  return { send, progress }
}

export function useWaitingList() {
  return useKeysetList<UserAccount>({
    key: ['professionals', 'waiting'],
    load: async ({ cursor, signal }) =>
      (await listProfessionals({ query: { approval: 'pending', sort: 'waiting', cursor }, signal })).data,
    every: 20_000,
  })
}

export type Decision = { verb: 'approve' } | { verb: 'reject'; reason: string }

/** Approve or reject the document that came with this person; the server refuses when it was replaced since. */
export function useDecision() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ person, ...decision }: { person: UserAccount } & Decision) => {
      const path = { professional_id: person.id }
      const reviewed = { document_id: person.document?.id ?? null }
      return decision.verb === 'reject'
        ? rejectProfessional({ path, body: { reason: decision.reason, ...reviewed } })
        : approveProfessional({ path, body: reviewed })
    },
    onSettled: () =>
      Promise.all(
        ['professionals', 'tasks', 'search', 'stats', 'audit'].map((key) =>
          client.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  })
}
