/** Conversations of the user who is signed in. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { useI18n } from 'vue-i18n'
import {
  getRequestConversationsOptions,
  listConversationReportsInfiniteOptions,
  listMyConversationsInfiniteOptions,
  listMyConversationsOptions,
  listRequestMessagesInfiniteOptions,
  type ConversationOfRequest,
  type Message,
} from '@/shared/api/generated'
import type { Role } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { pollEvery, withoutLive } from '@/shared/lib/polling'
import { formatTime } from '@/shared/lib/time'
import { useSession } from '@/shared/session/store'

export type { ConversationOfRequest, Message }

/** How many messages are unread in all conversations. */
export function useUnreadMessages() {
  return useQuery({
    ...listMyConversationsOptions({ query: { limit: 1, unread: 1 } }),
    select: ({ unread_count }) => unread_count,
    refetchInterval: pollEvery(withoutLive),
  })
}

export function useMyConversations() {
  return useKeysetList(() => listMyConversationsInfiniteOptions({ query: {} }), {
    keyOf: (one) => `${one.request_id}-${one.professional_id}`,
    every: withoutLive,
  })
}

export function useReports(settled: MaybeRefOrGetter<boolean>) {
  return useKeysetList(() =>
    listConversationReportsInfiniteOptions({ query: { settled: toValue(settled) ? 1 : undefined } }),
  )
}

/** The conversations about a request: one for each professional. */
export function useConversationsOf(
  requestId: MaybeRefOrGetter<number>,
  enabled: MaybeRefOrGetter<boolean> = true,
) {
  return useQuery(
    computed(() => ({
      ...getRequestConversationsOptions({ path: { request_id: toValue(requestId) } }),
      enabled: () => toValue(enabled),
      refetchInterval: pollEvery(withoutLive),
    })),
  )
}

/** The messages of one conversation; the newest come first from the server, and last on the screen. */
export function useMessages(requestId: MaybeRefOrGetter<number>, professionalId: MaybeRefOrGetter<number>) {
  const list = useKeysetList(
    () =>
      listRequestMessagesInfiniteOptions({
        path: { request_id: toValue(requestId) },
        query: { professional_id: toValue(professionalId), order: 'newest' },
      }),
    { every: withoutLive },
  )
  return { list, messages: computed(() => list.items.value.toReversed()) }
}

/** Messages under the day on which they were written, oldest first. */
export function byDay(messages: readonly Message[], locale: string): { day: string; messages: Message[] }[] {
  const days: { day: string; messages: Message[] }[] = []
  for (const message of messages) {
    const day = formatTime(message.created_at, 'day', locale)
    const last = days.at(-1)
    if (last?.day === day) last.messages.push(message)
    else days.push({ day, messages: [message] })
  }
  return days
}

/** The name of the other side, as this role knows it. */
export function otherSide(
  one: Pick<ConversationOfRequest, 'customer_firstname' | 'professional_firstname' | 'compname'>,
  role: Role | null,
): string {
  const professional = `${one.professional_firstname} (${one.compname})`
  if (role === 'professional') return one.customer_firstname
  return role === 'customer' ? professional : `${one.customer_firstname} – ${professional}`
}

/** The heading over the conversations about a request: with whom, where there is one. */
export function useHeading(items: MaybeRefOrGetter<ConversationOfRequest[] | undefined>) {
  const { t } = useI18n()
  const session = useSession()
  return computed(() => {
    const [one, ...others] = toValue(items) ?? []
    return one && !others.length
      ? t('conversations.with', { name: otherSide(one, session.role) })
      : t('conversations.title')
  })
}
