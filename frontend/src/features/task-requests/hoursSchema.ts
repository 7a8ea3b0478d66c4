/** The schema of the form of working hours. */
import { putMyHoursBody } from '@/shared/api/generated/schemas'
import { i18n } from '@/shared/lib/i18n'
import { v } from '@/shared/lib/schema'
import { longest, wrongNext, wrongWith } from './hours'

const spans = v.array(v.object({ from: v.string(), to: v.string() }))
/** The body lists spans of time; the form has a week of days, checked one by one. */
export const hoursSchema = v.object({
  week: v.pipe(
    v.array(
      v.pipe(
        v.object({ works: v.boolean(), spans }),
        v.check(
          (day) => !day.works || wrongWith(day.spans) === null,
          ({ input }) => i18n.global.t(`agenda.hours.wrong.${wrongWith(input.spans) ?? 'missing'}`),
        ),
      ),
    ),
    v.forward(
      v.check(
        (week) => week.some(({ works }) => works),
        () => i18n.global.t('agenda.hours.wrong.never'),
      ),
      [0],
    ),
  ),
  exceptions: v.unwrap(putMyHoursBody.entries.exceptions),
  next: v.pipe(
    v.object({ from: v.string(), to: v.string(), off: v.boolean(), spans }),
    v.check(
      (days) => wrongNext(days) === null,
      ({ input }) => i18n.global.t(`agenda.hours.wrong.${wrongNext(input) ?? 'days'}`, { days: longest }),
    ),
  ),
})
