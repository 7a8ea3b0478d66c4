/** A schedule in the page's language: the server says it in English, in one of few forms. */
import type { Translate } from 'vue-i18n'
import { formatTime } from '@/shared/lib/time'
import { marketToday, toIso } from '@/shared/lib/marketTime'

export function scheduleIn(text: string, t: Translate, locale: string): string {
  if (text === 'every minute') return t('jobs.every.minute', {})
  if (text === 'hourly') return t('jobs.every.hour', {})
  const [, count] = /^every (\d+) minutes$/.exec(text) ?? []
  if (count) return t('jobs.every.minutes', { count })
  const [, day, clock] = /^(?:daily|monthly, on day (\d+)) at (\d\d:\d\d)$/.exec(text) ?? []
  if (!clock) return text
  const time = formatTime(toIso(marketToday(), clock), 'time', locale)
  return day ? t('jobs.every.month', { day, time }) : t('jobs.every.day', { time })
}
