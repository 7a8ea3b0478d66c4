/** The price lines of a request, and what can be done about them. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  approveRequestPriceLine,
  createRequestPriceLineMutation,
  declineRequestPriceLine,
  getRequestPriceLinesOptions,
  withdrawRequestPriceLine,
} from '@/shared/api/generated'
import { useApiMutation } from '@/shared/composables/useApiMutation'

export interface Decision {
  request: number
  line: number
  verb: 'approve' | 'decline' | 'withdraw'
  code?: string
}

export function usePriceLines(id: MaybeRefOrGetter<number>) {
  return useQuery(computed(() => getRequestPriceLinesOptions({ path: { request_id: toValue(id) } })))
}

export function usePropose() {
  return useApiMutation(createRequestPriceLineMutation(), {
    success: 'prices.propose.done',
    idempotent: true,
    invalidates: ['Requests'],
  })
}

function call({ request, line, verb, code }: Decision): Promise<unknown> {
  const path = { request_id: request, line_id: line }
  switch (verb) {
    case 'approve':
      return approveRequestPriceLine({ path, body: code ? { code } : {} })
    case 'decline':
      return declineRequestPriceLine({ path })
    case 'withdraw':
      return withdrawRequestPriceLine({ path })
  }
}

export function useDecide() {
  return useApiMutation({ mutationFn: call }, { invalidates: ['Requests'] })
}
