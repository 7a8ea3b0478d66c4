/** The schema of the form that starts an export. */
import { createExportBody } from '@/shared/api/generated/schemas'
import { i18n } from '@/shared/lib/i18n'
import { orEmpty, v } from '@/shared/lib/schema'

// The body takes times as well; this form asks for days.
const day = orEmpty(v.optional(v.pipe(v.string(), v.isoDate())))
export const exportSchema = v.pipe(
  v.object({
    professional_id: createExportBody.entries.professional_id,
    unresolved: v.boolean(),
    from: day,
    to: day,
  }),
  v.forward(
    v.check(
      ({ unresolved }) => !unresolved,
      () => i18n.global.t('validation.person'),
    ),
    ['professional_id'],
  ),
  v.forward(
    v.check(
      ({ from, to }) => !from || !to || from <= to,
      () => i18n.global.t('exports.backwards'),
    ),
    ['to'],
  ),
)
