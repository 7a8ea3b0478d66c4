/** Reviews of a professional's own work: read, answered once, reported. */
import { useMutation, useQueryClient } from '@tanstack/vue-query'
import {
  listMyReviews,
  replyRequestReview,
  reportRequestReview,
  type ReviewListed,
} from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'

/** A row is told apart by its request: each has one review at most. */
export type MyReview = ReviewListed & { id: number }

export function useMyReviews() {
  return useKeysetList<MyReview>({
    key: ['reviews', 'mine'],
    load: async ({ cursor, signal }) => {
      const { data } = await listMyReviews({ query: { cursor }, signal })
      return { ...data, items: data.items.map((item) => ({ ...item, id: item.request_id })) }
    },
  })
}

export function useReviewAnswer(requestId: number) {
  const client = useQueryClient()
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: ['reviews'] }),
      client.invalidateQueries({ queryKey: ['requests'] }),
    ])
  const path = { request_id: requestId }
  const reply = useMutation({
    mutationFn: (words: string) => replyRequestReview({ path, body: { reply: words } }),
    onSettled: refresh,
  })
  const report = useMutation({
    mutationFn: (reason: string) => reportRequestReview({ path, body: { reason } }),
    onSettled: refresh,
  })
  return { reply, report }
}
