/** The user's notifications. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import type { MaybeRefOrGetter } from 'vue'
import type { RouteLocationRaw } from 'vue-router'
import { listNotifications, markNotificationsRead } from '@/shared/api/generated'
import type { Notification, NotificationPage, Role } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { pollEvery } from '@/shared/lib/polling'

export function useUnreadCount() {
  return useQuery({
    queryKey: ['notifications', 'unread'],
    queryFn: async ({ signal }) =>
      (await listNotifications({ query: { limit: 1 }, signal })).data.unread_count,
    refetchInterval: pollEvery(15_000),
  })
}

export function useNotificationList(unread: MaybeRefOrGetter<boolean>) {
  return useKeysetList<Notification, boolean, NotificationPage>({
    key: ['notifications', 'list'],
    filters: unread,
    load: async ({ filters: onlyUnread, cursor, signal }) =>
      (await listNotifications({ query: { unread: onlyUnread ? 1 : undefined, cursor }, signal })).data,
  })
}

export function useMarkRead() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (which: { ids: number[] } | { all: true }) => markNotificationsRead({ body: which }),
    onSuccess: ({ data }) => {
      client.setQueryData(['notifications', 'unread'], data.unread_count)
      return client.invalidateQueries({ queryKey: ['notifications', 'list'] })
    },
  })
}

/** The page that a notification is about. */
export function targetOf(one: Notification, role: Role | null): RouteLocationRaw | null {
  if (one.request_id !== null && one.request_id !== undefined) return `/requests/${one.request_id}`
  if (one.kind.startsWith('export_') && role === 'admin') return '/admin/exports'
  if (one.kind === 'admin_account_changed') return '/admin/audit'
  if (role === 'professional' && ['approved', 'rejected'].includes(one.kind)) return '/approval'
  return null
}
