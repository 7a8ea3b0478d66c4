/** The offers for a request, and what can be done about them. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  acceptRequestOfferMutation,
  createRequestOfferMutation,
  getRequestOffersOptions,
  withdrawRequestOfferMutation,
} from '@/shared/api/generated'
import { useApiMutation } from '@/shared/composables/useApiMutation'

export function useOffers(id: MaybeRefOrGetter<number>) {
  return useQuery(computed(() => getRequestOffersOptions({ path: { request_id: toValue(id) } })))
}

export function useOfferActions() {
  const invalidates = ['Requests', 'Schedule'] as const
  return {
    make: useApiMutation(createRequestOfferMutation(), {
      success: 'offers.make.done',
      idempotent: true,
      invalidates,
    }),
    withdraw: useApiMutation(withdrawRequestOfferMutation(), { success: 'offers.withdrawn', invalidates }),
    accept: useApiMutation(acceptRequestOfferMutation(), { success: 'offers.accept.done', invalidates }),
  }
}
