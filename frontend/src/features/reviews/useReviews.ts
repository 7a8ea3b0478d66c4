/** Reviews as an admin judges them: those reported, hidden with a reason or left to stand. */
import { useMutation, useQueryClient } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'
import {
  hideReview,
  listReviews,
  showReview,
  type ListReviewsData,
  type ReviewJudged,
} from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'

export type ReviewRow = ReviewJudged & { id: number }
export const views = ['reported', 'hidden', 'all'] as const
export type View = (typeof views)[number]

/** What waits for a judgement are the reported ones that are not hidden yet. */
export function filtersOf(view: View): NonNullable<ListReviewsData['query']> {
  if (view === 'reported') return { reported: 1, hidden: 0 }
  return view === 'hidden' ? { hidden: 1 } : {}
}

export function useReviewList(
  view: MaybeRefOrGetter<View>,
  more: MaybeRefOrGetter<{ professional_id?: number; customer_id?: number }>,
) {
  return useKeysetList<ReviewRow, NonNullable<ListReviewsData['query']>>({
    key: ['reviews'],
    filters: () => ({ ...filtersOf(toValue(view)), ...toValue(more) }),
    load: async ({ filters, cursor, signal }) => {
      const { data } = await listReviews({ query: { ...filters, cursor }, signal })
      return { ...data, items: data.items.map((review) => ({ ...review, id: review.request_id })) }
    },
  })
}

export function useJudgement() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, reason }: { id: number; reason: string | null }) =>
      reason === null
        ? showReview({ path: { request_id: id } })
        : hideReview({ path: { request_id: id }, body: { reason } }),
    onSettled: () =>
      Promise.all(
        ['reviews', 'professionals', 'customers', 'tasks', 'search'].map((key) =>
          client.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  })
}
