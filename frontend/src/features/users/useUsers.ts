/** People of both kinds as an admin sees them: finding them, one of them, and what may be decided about them. */
import { useQuery, type QueryFunction, type QueryKey } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  approveProfessional,
  blockUser,
  endSessionsUser,
  getCustomerOptions,
  getProfessionalOptions,
  listCustomersInfiniteOptions,
  listProfessionalsInfiniteOptions,
  rejectProfessional,
  unblockUser,
  updateProfessional,
  type Block,
  type ListProfessionalsData,
  type UserAccountDetail,
} from '@/shared/api/generated'
import type { UserAccount } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'

export type Kind = 'customer' | 'professional'
export type Filters = NonNullable<ListProfessionalsData['query']>
export const approvals = ['document_missing', 'pending', 'approved', 'rejected', 'expired'] as const
export const sorts = {
  professional: ['created', 'name', 'rating', 'waiting'],
  customer: ['created', 'name'],
} as const
export const blockReasons = ['fraud', 'poor_reviews', 'other'] as const

/** What one word says about where a person stands: a block weighs more than an approval. */
export function standing(person: Pick<UserAccount, 'blocked_at' | 'approval'>): string {
  if (person.blocked_at) return 'blocked'
  return person.approval ?? 'active'
}

/** How many changes of mind in 90 days an admin should look at. */
const many = 3
export function isUnreliable(figures: { cancelled_90_days: number; released_90_days: number }): boolean {
  return figures.cancelled_90_days + figures.released_90_days >= many
}

/** Each kind has its own page component, which is recreated when switching between them. */
export function useUserList(role: Kind, filters: MaybeRefOrGetter<Filters>) {
  return useKeysetList(() => {
    const { q, blocked, pincode, sort, ...own } = toValue(filters)
    const shared = { q, blocked, pincode }
    return role === 'professional'
      ? listProfessionalsInfiniteOptions({ query: { ...shared, sort, ...own } })
      : listCustomersInfiniteOptions({ query: { ...shared, sort: sort === 'name' ? 'name' : undefined } })
  })
}

export function useUser(role: MaybeRefOrGetter<Kind>, id: MaybeRefOrGetter<number>) {
  return useQuery(
    computed(() => {
      const { queryKey, queryFn } =
        toValue(role) === 'customer'
          ? getCustomerOptions({ path: { customer_id: toValue(id) } })
          : getProfessionalOptions({ path: { professional_id: toValue(id) } })
      // Both read the same kind of object; only the types of their keys differ.
      return { queryKey: queryKey as QueryKey, queryFn: queryFn as QueryFunction<UserAccountDetail> }
    }),
  )
}

export type Decision =
  | { verb: 'approve'; document_id: number | null; expires_at?: string }
  | { verb: 'reject'; document_id: number | null; reason: string }
  | { verb: 'block'; reason: Block['reason']; note?: string | null }
  | { verb: 'unblock' }
  | { verb: 'end_sessions' }
  | { verb: 'expiry'; approval_expires_at: string | null }

/** Send one decision about an account. */
export function decide(id: number, decision: Decision): Promise<unknown> {
  const path = { professional_id: id }
  switch (decision.verb) {
    case 'approve':
      return approveProfessional({
        path,
        body: {
          document_id: decision.document_id,
          ...(decision.expires_at && { expires_at: decision.expires_at }),
        },
      })
    case 'reject':
      return rejectProfessional({
        path,
        body: { reason: decision.reason, document_id: decision.document_id },
      })
    case 'block':
      return blockUser({
        path: { account_id: id },
        body: { reason: decision.reason, ...(decision.note && { note: decision.note }) },
      })
    case 'unblock':
      return unblockUser({ path: { account_id: id } })
    case 'end_sessions':
      return endSessionsUser({ path: { account_id: id } })
    case 'expiry':
      return updateProfessional({ path, body: { approval_expires_at: decision.approval_expires_at } })
  }
}
