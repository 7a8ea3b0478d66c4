/** The ledger of messages: what went to whom on which channel, each try at it, and sending again. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  getDelivery,
  listDeliveries,
  resendDelivery,
  type Delivery,
  type ListDeliveriesData,
} from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import type { Signalled } from '@/shared/api/types'

export type DeliveryFilters = NonNullable<ListDeliveriesData['query']>
export const states = ['waiting', 'sent', 'failed', 'skipped'] as const
export const channels = ['mail', 'gchat', 'sms'] as const
export const kinds = [
  'approved',
  'rejected',
  'blocked',
  'unblocked',
  'request_new',
  'request_accepted',
  'request_rejected',
  'request_released',
  'request_opened',
  'request_changed',
  'request_completed',
  'request_closed',
  'request_cancelled',
  'request_expired',
  'request_reviewed',
  'export_done',
  'export_failed',
  'reminder',
  'report',
  'password_reset',
  'password_changed',
  'email_confirmation',
  'email_changed',
  'document_expiring',
  'document_expired',
] as const satisfies readonly NonNullable<DeliveryFilters['kind']>[]

/** Only what did not get out can be sent again: nobody gets a message twice. */
export const mayResend = (delivery: Pick<Delivery, 'state'>): boolean =>
  delivery.state === 'failed' || delivery.state === 'skipped'

export function useDeliveryList(filters: MaybeRefOrGetter<DeliveryFilters>) {
  return useKeysetList<Delivery, DeliveryFilters>({
    key: ['deliveries', 'list'],
    filters,
    load: async ({ filters: asked, cursor, signal }) =>
      (await listDeliveries({ query: { ...asked, cursor }, signal })).data,
    fingerprint: (rows) =>
      rows
        .filter((one) => one.state === 'waiting')
        .map((one) => `${one.id}:${one.attempts}`)
        .join(' ') || null,
  })
}

export function useDelivery(id: MaybeRefOrGetter<number>) {
  return useQuery(
    computed(() => {
      const delivery_id = toValue(id)
      return {
        queryKey: ['deliveries', delivery_id],
        queryFn: async ({ signal }: Signalled) => (await getDelivery({ path: { delivery_id }, signal })).data,
      }
    }),
  )
}

export function useResend() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: number) => resendDelivery({ path: { delivery_id: id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['deliveries'] }),
  })
}
