/** Notification preferences: order of channels, quiet hours, and exceptions for single kinds. */
import type { Under } from '@/locales/keys'
import type { Preferences } from '@/shared/api/generated'
import type { Role } from '@/shared/api/types'

export const channels = ['mail', 'gchat', 'sms', 'push', 'chat'] as const
export type Channel = (typeof channels)[number]

/** What each role is told of; "as above" where a kind names no channels of its own. */
export const kindsOf: Record<Role, readonly Under<'accounts.messages.kind'>[]> = {
  customer: [
    'request_messages',
    'request_accepted',
    'request_rejected',
    'request_released',
    'request_opened',
    'request_on_time',
    'request_on_the_way',
    'request_running_late',
    'request_arrived',
    'request_due_tomorrow',
    'request_started',
    'request_step_undone',
    'request_offer_made',
    'request_offer_withdrawn',
    'request_line_proposed',
    'request_line_approved',
    'request_line_withdrawn',
    'request_completed',
    'request_closed',
    'request_expired',
    'report',
  ],
  professional: [
    'request_new',
    'request_messages',
    'request_changed',
    'request_cancelled',
    'request_due_tomorrow',
    'request_started',
    'request_step_undone',
    'request_offer_accepted',
    'request_offer_ended',
    'request_line_approved',
    'request_line_declined',
    'request_completed',
    'request_closed',
    'request_reviewed',
    'reminder',
  ],
  admin: ['admin_account_changed', 'export_done', 'export_failed'],
}

export type KindChoice = 'usual' | 'none' | Channel

/** One kind's channels as one choice; several are the usual order for this form. */
export function choiceOf(kinds: Preferences['kinds'], kind: string): KindChoice {
  const own = kinds?.[kind]
  if (!own) return 'usual'
  return own.length === 0 ? 'none' : own.length === 1 && own[0] ? own[0] : 'usual'
}

/** The kinds with these choices put in; what the form does not show, or shows unchanged, stays as it is. */
export function withChoices(
  kinds: Preferences['kinds'],
  choices: Record<string, KindChoice>,
): NonNullable<Preferences['kinds']> {
  const changed = Object.entries(choices).filter(([kind, choice]) => choice !== choiceOf(kinds, kind))
  const names = new Set(changed.map(([kind]) => kind))
  const own = changed.flatMap(([kind, choice]) =>
    choice === 'usual' ? [] : [[kind, choice === 'none' ? [] : [choice]] as const],
  )
  return Object.fromEntries([...Object.entries(kinds ?? {}).filter(([kind]) => !names.has(kind)), ...own])
}

/** Moves a channel one place up or down. */
export function moved(order: Channel[], channel: Channel, by: 1 | -1): Channel[] {
  const at = order.indexOf(channel)
  const to = at + by
  if (at < 0 || to < 0 || to >= order.length) return order
  const next = order.filter((one) => one !== channel)
  next.splice(to, 0, channel)
  return next
}
