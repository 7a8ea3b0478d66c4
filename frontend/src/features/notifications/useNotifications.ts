/** The user's notifications. */
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'
import type { RouteLocationRaw } from 'vue-router'
import {
  listNotificationsInfiniteOptions,
  listNotificationsOptions,
  markNotificationsReadMutation,
  onTimeRequestMutation,
} from '@/shared/api/generated'
import type { Notification, Role } from '@/shared/api/types'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { pollEvery, withoutLive } from '@/shared/lib/polling'

const newest = { query: { limit: 1 } }

export function useUnreadCount() {
  return useQuery({
    ...listNotificationsOptions(newest),
    select: ({ unread_count }) => unread_count,
    refetchInterval: pollEvery(withoutLive),
  })
}

export function useNotificationList(unread: MaybeRefOrGetter<boolean>) {
  return useKeysetList(() =>
    listNotificationsInfiniteOptions({ query: { unread: toValue(unread) ? 1 : undefined } }),
  )
}

export function useMarkRead() {
  const client = useQueryClient()
  return useApiMutation(markNotificationsReadMutation(), {
    // The bell need not wait until everything has been read again.
    onSuccess: ({ unread_count }) =>
      client.setQueryData(
        listNotificationsOptions(newest).queryKey,
        (before) => before && { ...before, unread_count },
      ),
  })
}

const choices = ['on_time', 'running_late', 'release', 'cancel'] as const
export type Choice = (typeof choices)[number]

/** What can be done at once about a visit that a reminder is about, as far as this version knows it. */
export function choicesOf(one: Notification): Choice[] {
  const offered = new Set<string>(one.choices)
  return choices.filter((choice) => offered.has(choice))
}

export function useConfirmOnTime() {
  return useApiMutation(onTimeRequestMutation(), {
    idempotent: true,
    invalidates: ['Requests', 'Schedule'],
    success: 'visits.onTime.done',
  })
}

/** The page that a notification is about. */
export function targetOf(one: Notification, role: Role | null): RouteLocationRaw | null {
  if (one.request_id !== null && one.request_id !== undefined) return `/requests/${one.request_id}`
  if (one.kind.startsWith('export_') && role === 'admin') return '/admin/exports'
  if (one.kind === 'admin_account_changed') return '/admin/audit'
  if (role === 'professional' && ['approved', 'rejected'].includes(one.kind)) return '/approval'
  if (role === 'professional' && one.kind.startsWith('photo_')) return '/my-profile'
  return null
}
