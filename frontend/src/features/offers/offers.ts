/** Where offers are shown, and which of them count. */
import type { Offer } from '@/shared/api/generated'
import type { TaskRequestDetail } from '@/shared/api/types'

export const offerIcons: Record<string, string> = {
  make_offer: 'i-lucide-hand-coins',
  withdraw_offer: 'i-lucide-undo-2',
  accept_offer: 'i-lucide-handshake',
}

/** Offers are compared while a request waits; afterwards the price says what was agreed. */
export function hasOffers(request: TaskRequestDetail): boolean {
  return request.pricing === 'quote' && request.status === 'requested'
}

export const live = (offers: readonly Offer[]) => offers.filter(({ state }) => state === 'live')
