/** What everyone reads of a professional; changes stand elsewhere, because their messages need Nuxt UI. */
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  getProfileOptions,
  listProfileReviewsInfiniteOptions,
  type GetProfileResponse,
  type ListProfileReviewsResponse,
} from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { takeFirstData } from '@/shared/lib/firstData'

/** What the server sends along with the page (backend/api/entry_profiles.py). */
interface Sent {
  profile: GetProfileResponse
  reviews: ListProfileReviewsResponse
}

const optionsOf = (id: number) => getProfileOptions({ path: { professional_id: id } })
const reviewsOf = (id: number) => listProfileReviewsInfiniteOptions({ path: { professional_id: id } })

export function useProfile(id: MaybeRefOrGetter<number>) {
  const sent = takeFirstData<Sent>()
  if (sent) {
    const client = useQueryClient()
    client.setQueryData(optionsOf(toValue(id)).queryKey, sent.profile)
    client.setQueryData(reviewsOf(toValue(id)).queryKey, { pages: [sent.reviews], pageParams: [null] })
  }
  return useQuery(computed(() => optionsOf(toValue(id))))
}

export function useProfileReviews(id: MaybeRefOrGetter<number>) {
  return useKeysetList(() => reviewsOf(toValue(id)), {
    keyOf: (one) => `${one.created_at} ${one.task_name} ${one.rating}`,
  })
}
