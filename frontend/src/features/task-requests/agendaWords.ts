/** How an agenda says from when until when. */
import type { Translate } from 'vue-i18n'
import { formatSpan, formatTime, shiftMinutes } from '@/shared/lib/time'
import type { Entry } from './agenda'

/** When it ends; the next day's time for what goes on past midnight. */
const endOf = ({ request }: Entry, locale: string): string =>
  formatTime(shiftMinutes(request.date_of_request, request.time_required), 'time', locale)

export function whenOf(entry: Entry, t: Translate, locale: string): string {
  return entry.since
    ? t('agenda.until', { time: endOf(entry, locale) })
    : formatSpan(entry.request.date_of_request, entry.request.time_required, locale)
}
