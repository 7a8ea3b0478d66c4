/** From an uploaded document to an approved professional, from both sides. */
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  approveProfessional,
  getMyDocument,
  getMyDocumentQueryKey,
  getProfessionalDocument,
  listProfessionalsInfiniteOptions,
  putMyDocumentMutation,
  rejectProfessional,
  type SubmittedDocument,
} from '@/shared/api/generated'
import type { UserAccount, Signalled } from '@/shared/api/types'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { useObjectUrl } from '@/shared/composables/useObjectUrl'
import { useUpload } from '@/shared/composables/useUpload'
import { withoutLive } from '@/shared/lib/polling'
import { useSession } from '@/shared/session/store'

async function readPage(id: number | null, page: number, signal: AbortSignal): Promise<Blob> {
  const query = { page }
  const { data } = await (id === null
    ? getMyDocument({ query, signal })
    : getProfessionalDocument({ path: { professional_id: id }, query, signal }))
  return data
}
type Reviewed = Pick<SubmittedDocument, 'id'> | null | undefined
/** Under the document, not its owner: a picture of a replaced document must not stand for the new one. */
const pageKey = (document: Reviewed, page: number) => [
  ...getMyDocumentQueryKey({ query: { page } }),
  document?.id ?? null,
]

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
  return { url: useObjectUrl(query.data), query }
}

export function useUploadDocument() {
  const session = useSession()
  const { upload, progress } = useUpload()
  const { send, isPending } = useApiMutation(putMyDocumentMutation(), {
    success: 'professionals.approval.handedIn',
    onSuccess: session.update,
  })

  const submit = (document: File) => upload((options) => send({ body: { document }, ...options }))
  return { submit, progress, isPending }
}

export function useWaitingList() {
  return useKeysetList(
    () => listProfessionalsInfiniteOptions({ query: { approval: 'pending', sort: 'waiting' } }),
    { every: withoutLive },
  )
}

export type Decision = { verb: 'approve' } | { verb: 'reject'; reason: string }

/** Approve or reject the document that came with this professional; the server refuses when it was replaced since. */
export function useDecision() {
  return useApiMutation(
    {
      mutationFn: ({ person, ...decision }: { person: UserAccount } & Decision): Promise<unknown> => {
        const path = { professional_id: person.id }
        const reviewed = { document_id: person.document?.id ?? null }
        return decision.verb === 'reject'
          ? rejectProfessional({ path, body: { reason: decision.reason, ...reviewed } })
          : approveProfessional({ path, body: reviewed })
      },
    },
    { invalidates: ['Professionals', 'Tasks', 'Search', 'Dashboard', 'Audit trail'] },
  )
}
