/** The delivery log: which message went to whom on which channel, and each attempt. */
import { toValue, type MaybeRefOrGetter } from 'vue'
import { listDeliveriesInfiniteOptions, type Delivery, type ListDeliveriesData } from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { withoutLive } from '@/shared/lib/polling'

export type DeliveryFilters = NonNullable<ListDeliveriesData['query']>
export const states = ['waiting', 'sent', 'failed', 'skipped'] as const
export const channels = ['mail', 'gchat', 'sms'] as const
export const kinds = [
  'approved',
  'rejected',
  'photo_approved',
  'photo_rejected',
  'blocked',
  'unblocked',
  'request_new',
  'request_messages',
  'request_accepted',
  'request_rejected',
  'request_released',
  'request_opened',
  'request_changed',
  'request_on_time',
  'request_on_the_way',
  'request_running_late',
  'request_arrived',
  'request_due_tomorrow',
  'request_due_soon',
  'request_started',
  'request_step_undone',
  'request_line_proposed',
  'request_line_approved',
  'request_line_declined',
  'request_line_withdrawn',
  'request_offer_made',
  'request_offer_withdrawn',
  'request_offer_accepted',
  'request_offer_ended',
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
  return useKeysetList(() => listDeliveriesInfiniteOptions({ query: toValue(filters) }), {
    every: withoutLive,
  })
}
