/** Before signing out: what is not sent yet would be lost. */
import { clear, flush } from '@/shared/offline/actionQueue'
import { i18n } from '@/shared/lib/i18n'
import { formatTime } from '@/shared/lib/time'
import type { Question, Answer } from '@/shared/composables/useConfirm'
import { unsent, wordOf } from '@/shared/offline/unsent'

/** In milliseconds: nobody waits longer for a bad line in order to sign out. */
const patience = 4_000

/** Send what can be sent; ask about the rest, by name. Returns whether the user may be signed out. */
export async function mayLeave(ask: (question: Question) => Promise<Answer>): Promise<boolean> {
  if (!unsent.items.length) return true
  await Promise.race([flush(), new Promise((resolve) => setTimeout(resolve, patience))])
  if (!unsent.items.length) return true
  const { t, locale } = i18n.global
  const names = unsent.items.map((one) =>
    t('visits.unsent.one', {
      action: t(`visits.unsent.actions.${wordOf(one)}`, { point: one.point ?? 0 }),
      task: one.task,
      time: formatTime(new Date(one.at).toISOString(), 'time', locale.value),
    }),
  )
  const answer = await ask({
    title: t('visits.unsent.ask'),
    follows: t('visits.unsent.follows', {
      actions: new Intl.ListFormat(locale.value, { type: 'conjunction' }).format(names),
    }),
    action: t('visits.unsent.leave'),
    back: t('visits.unsent.stay'),
    danger: true,
  })
  if (answer === null) return false
  await clear()
  return true
}
