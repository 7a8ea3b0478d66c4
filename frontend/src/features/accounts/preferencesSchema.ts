/** The schema of the form of notification settings. */
import { putMyPreferencesBody } from '@/shared/api/generated/schemas'
import { i18n } from '@/shared/lib/i18n'
import { orEmpty, v } from '@/shared/lib/schema'

const { channels: order, gchat_webhook, chat_id, quiet_hours } = putMyPreferencesBody.entries
const hours = v.unwrap(quiet_hours)
export const preferencesSchema = v.pipe(
  v.object({
    channels: order,
    gchat_webhook: orEmpty(gchat_webhook),
    chat_id: orEmpty(chat_id),
    quiet: v.boolean(),
    from: v.string(),
    to: v.string(),
    kinds: v.record(v.string(), v.string()),
  }),
  v.forward(
    v.check(
      ({ quiet, from, to }) => !quiet || (v.is(hours, { from, to }) && from !== to),
      () => i18n.global.t('accounts.messages.quietWrong'),
    ),
    ['from'],
  ),
)
