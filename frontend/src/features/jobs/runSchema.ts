/** The schema of the form that runs a job by hand. */
import { runJobBody } from '@/shared/api/generated/schemas'
import { i18n } from '@/shared/lib/i18n'
import { orEmpty, v } from '@/shared/lib/schema'

const { month: oneMonth, customer_id: customer } = runJobBody.entries
export const runSchema = v.pipe(
  v.object({ month: orEmpty(oneMonth), customer_id: customer, unresolved: v.boolean() }),
  v.forward(
    v.check(
      ({ unresolved }) => !unresolved,
      () => i18n.global.t('validation.person'),
    ),
    ['customer_id'],
  ),
)
