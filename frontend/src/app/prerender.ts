/** Renders pages as a visitor first sees them; scripts/pages.mjs runs this after the build, once for each page. */
import { renderToString } from 'vue/server-renderer'
import { addresses, kinds } from '@/features/tasks'
import { documentTitle } from '@/shared/composables/usePageTitle'
import { loadData } from '@/shared/lib/data'
import { renderWith } from '@/shared/lib/firstData'
import { directionOf } from '@/shared/lib/direction'
import { everyText, i18n, loadTexts, setLanguage, type Language } from '@/shared/lib/i18n'
import { formatMoney } from '@/shared/lib/money'
import { formatDay, formatDuration, formatTime } from '@/shared/lib/time'
import { createDoorstep } from './create'
import { router } from './router'

export interface Rendered {
  title: string
  html: string
}

/** `body`: the API's answer that the page begins with. */
export async function render(path: string, language: Language, body?: unknown): Promise<Rendered> {
  const app = createDoorstep()
  let failure: unknown
  app.config.errorHandler = (error) => {
    failure ??= error
  }
  renderWith(body)
  await loadData()
  await setLanguage(language)
  await router.push(path)
  app.use(router)
  await router.isReady()
  const html = await renderToString(app)
  if (failure) throw failure
  return { title: documentTitle(), html }
}

const described = import.meta.glob<Record<string, string>>('../locales/*/descriptions.json', {
  eager: true,
  import: 'default',
})
/**
 * What search engines and link previews say of the pages that the server does not describe itself (backend/api/public_pages.py).
 * No page shows these texts, so they are in none of its sets.
 */
export const descriptions = (language: Language) => described[`../locales/${language}/descriptions.json`]

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

const { t } = i18n.global
/** For none, one and many. */
const forms = (key: Parameters<typeof t>[0]) => [
  t(key, 0),
  t(key, 1),
  t(key, 7391).replaceAll('7391', '{{count}}'),
]

/** The words that the server puts figures into (backend/api/entry_texts.py), and how a few figures are written. */
export async function words(language: Language) {
  await setLanguage(language)
  await loadTexts(...everyText)
  return {
    titles: {
      none: t('search.results.title'),
      q: t('search.results.for', { q: '{{q}}' }),
      place: t('search.results.near', { place: '{{place}}' }),
      qplace: t('search.results.forNear', { q: '{{q}}', place: '{{place}}' }),
    },
    professionals: forms('search.card.professionals'),
    count: forms('tasks.page.count'),
    narrow: upTo(6).map((count) => t('search.filters.narrow', count)),
    everything: t('search.filters.everything'),
    here: t('search.card.here'),
    nearest: t('search.card.nearest', { km: '{{km}}' }),
    hours: upTo(25).map((hours) => formatDuration(hours * 60, language)),
    minutes: upTo(60).map((minutes) => formatDuration(minutes, language)),
    by_quote: t('common.byQuote', { price: '{{price}}' }),
    money: formatMoney('1', 'INR', language).replace('1', '{{amount}}'),
    pictures: Object.fromEntries(addresses),
    kinds: kinds.map(([pattern, picture]) => [pattern.source, picture]),
  }
}

/** A date of each month, in the ways that a profile writes dates, around placeholders. */
function dates(language: Language) {
  const months = upTo(12).map((month) => `2031-${String(month + 1).padStart(2, '0')}-17`)
  const open = (text: string) => text.replace('2031', '{{year}}').replace('17', '{{day}}')
  const weekday = (day: string) => formatDay(day, 'weekday', language)
  return {
    // Monday first, as Python counts.
    weekdays: upTo(7).map((day) => weekday(`2031-03-${17 + day}`)),
    day: months.map((day) => open(formatDay(day, 'day', language)).replace(weekday(day), '{{weekday}}')),
    day_year: months.map((day) => open(formatDay(day, 'dayYear', language))),
    month: months.map((day) => open(formatTime(`${day}T12:00:00Z`, 'month', language))),
  }
}

const responses = [
  'within_1_hour',
  'within_4_hours',
  'within_12_hours',
  'within_1_day',
  'within_3_days',
  'over_3_days',
] as const

/** The same for a public profile (backend/api/entry_profiles.py). */
export async function profileWords(language: Language) {
  await setLanguage(language)
  await loadTexts(...everyText)
  return {
    verified: t('profiles.page.verified'),
    verified_until: t('profiles.page.verifiedUntil', { date: '{{date}}' }),
    exp: forms('profiles.page.exp'),
    done: forms('profiles.page.done'),
    count: forms('profiles.page.count'),
    responses: Object.fromEntries(responses.map((band) => [band, t(`profiles.page.response.${band}`)])),
    area: t('profiles.page.area', { area: '{{area}}' }),
    since: t('profiles.page.since', { month: '{{month}}' }),
    bars: upTo(5).map((index) =>
      t('profiles.page.bar', { stars: t('profiles.page.stars', index + 1), count: '{{count}}' }),
    ),
    by_quote: t('common.byQuote', { price: '{{price}}' }),
    money: formatMoney('1', 'INR', language).replace('1', '{{amount}}'),
    dates: dates(language),
  }
}
export { formatDuration, formatMoney }

export { directionOf }
