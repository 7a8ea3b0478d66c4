/** The ledger of messages: what went to whom on which channel, each try at it, and sending again. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getDelivery, listDeliveries, resendDelivery, type Delivery, type ListDeliveriesData } from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { usePulse } from '@/shared/composables/usePulse'

export type DeliveryFilters = NonNullable<ListDeliveriesData['query']>
export const states = ['waiting', 'sent', 'failed', 'skipped'] as const
export const channels = ['mail', 'gchat', 'sms'] as const
export const kinds = [
  'approved', 'rejected', 'blocked', 'unblocked', 'request_new', 'request_accepted', 'request_rejected', 'request_released', 'request_opened', 'request_changed',
  'request_completed', 'request_closed', 'request_cancelled', 'request_expired', 'request_reviewed', 'export_done', 'export_failed', 'reminder', 'report',
  'password_reset', 'password_changed', 'email_confirmation', 'email_changed', 'document_expiring', 'document_expired',
] as const satisfies readonly NonNullable<DeliveryFilters['kind']>[]

/** Only what did not get out can be sent again: nobody gets a message twice. */
export const mayResend = (delivery: Pick<Delivery, 'state'>): boolean => delivery.state === 'failed' || delivery.state === 'skipped'

export function useDeliveryList(filters: MaybeRefOrGetter<DeliveryFilters>) {
  const list = useKeysetList<Delivery>({
    key: computed(() => ['deliveries', 'list', toValue(filters)]),
    load: async (cursor) => (await listDeliveries({ query: { ...toValue(filters), cursor } })).data,
  })
  const waiting = () => list.items.value.filter((one) => one.state === 'waiting').map((one) => `${one.id}:${one.attempts}`)
  usePulse(() => (waiting().length ? waiting().join(' ') : null), list.reload)
  return list
}

export function useDelivery(id: MaybeRefOrGetter<number>) {
  return useQuery({ queryKey: computed(() => ['deliveries', toValue(id)]), queryFn: async () => (await getDelivery({ path: { delivery_id: toValue(id) } })).data })
}

export function useResend() {
  const client = useQueryClient()
  return useMutation({ mutationFn: (id: number) => resendDelivery({ path: { delivery_id: id } }), onSettled: () => client.invalidateQueries({ queryKey: ['deliveries'] }) })
}
