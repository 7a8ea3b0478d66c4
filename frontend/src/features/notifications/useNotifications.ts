/** What the market told this person. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import type { RouteLocationRaw } from 'vue-router'
import { listNotifications, markNotificationsRead } from '@/shared/api/generated'
import type { Notification, NotificationPage, Role } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'

export function useUnreadCount() {
  return useQuery({
    queryKey: ['notifications', 'unread'],
    queryFn: async () => (await listNotifications({ query: { limit: 1 } })).data.unread_count,
    refetchInterval: 15_000,
  })
}

export function useNotificationList(unread: MaybeRefOrGetter<boolean>) {
  return useKeysetList<Notification, NotificationPage>({
    key: computed(() => ['notifications', 'list', toValue(unread)]),
    load: async (cursor) =>
      (await listNotifications({ query: { unread: toValue(unread) ? 1 : undefined, cursor } })).data,
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
  if (role === 'professional' && ['approved', 'rejected'].includes(one.kind)) return '/approval'
  return null
}
