/** What everyone reads of a professional; changes stand elsewhere, because their messages need Nuxt UI. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getProfileOptions, listProfileReviewsInfiniteOptions } from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'

export function useProfile(id: MaybeRefOrGetter<number>) {
  return useQuery(computed(() => getProfileOptions({ path: { professional_id: toValue(id) } })))
}

export function useProfileReviews(id: MaybeRefOrGetter<number>) {
  return useKeysetList(() => listProfileReviewsInfiniteOptions({ path: { professional_id: toValue(id) } }), {
    keyOf: (one) => `${one.created_at} ${one.task_name} ${one.rating}`,
  })
}
