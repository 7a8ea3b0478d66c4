/** People of both kinds as an admin sees them: finding them, one of them, and what may be decided about them. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import {
  approveProfessional,
  blockUser,
  endSessionsUser,
  getCustomer,
  getProfessional,
  listCustomers,
  listProfessionals,
  listReliability,
  rejectProfessional,
  unblockUser,
  updateProfessional,
  type Block,
  type ListProfessionalsData,
  type ListReliabilityData,
  type Reliability,
} from '@/shared/api/generated'
import type { UserAccount, Signalled } from '@/shared/api/types'
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
  return useKeysetList<UserAccount, Filters>({
    key: [role === 'customer' ? 'customers' : 'professionals', 'list'],
    filters,
    load: async ({ filters: { q, blocked, pincode, sort, ...own }, cursor, signal }) => {
      const shared = { q, blocked, pincode, cursor }
      if (role === 'professional')
        return (await listProfessionals({ query: { ...shared, sort, ...own }, signal })).data
      return (
        await listCustomers({ query: { ...shared, sort: sort === 'name' ? 'name' : undefined }, signal })
      ).data
    },
  })
}

export function useUser(role: MaybeRefOrGetter<Kind>, id: MaybeRefOrGetter<number>) {
  return useQuery(
    computed(() => {
      const [kind, one] = [toValue(role), toValue(id)]
      return {
        queryKey: [kind === 'customer' ? 'customers' : 'professionals', one],
        queryFn: async ({ signal }: Signalled) =>
          (
            await (kind === 'customer'
              ? getCustomer({ path: { customer_id: one }, signal })
              : getProfessional({ path: { professional_id: one }, signal }))
          ).data,
      }
    }),
  )
}

type ReliabilityFilters = NonNullable<ListReliabilityData['query']>
export function useReliabilityList(filters: MaybeRefOrGetter<ReliabilityFilters>) {
  return useKeysetList<Reliability & { id: string }, ReliabilityFilters>({
    key: ['reliability'],
    filters,
    load: async ({ filters: asked, cursor, signal }) => {
      const { data } = await listReliability({ query: { ...asked, cursor }, signal })
      return { ...data, items: data.items.map((one) => ({ ...one, id: `${one.role}-${one.account_id}` })) }
    },
  })
}

export type Decision =
  | { verb: 'approve'; document_id: number | null; expires_at?: string }
  | { verb: 'reject'; document_id: number | null; reason: string }
  | { verb: 'block'; reason: Block['reason']; note?: string | null }
  | { verb: 'unblock' }
  | { verb: 'end_sessions' }
  | { verb: 'expiry'; approval_expires_at: string | null }

function call(id: number, decision: Decision): Promise<unknown> {
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

export function useDecisions() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ id, ...decision }: { id: number } & Decision) => call(id, decision),
    onSettled: () =>
      Promise.all(
        ['professionals', 'customers', 'requests', 'tasks', 'search', 'reliability', 'stats', 'audit'].map(
          (key) => client.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  })
}
