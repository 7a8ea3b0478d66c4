/** Renders pages as a visitor first sees them; scripts/pages.mjs runs this after the build, once for each page. */
import { renderToString } from 'vue/server-renderer'
import { addresses, kinds } from '@/features/tasks'
import { documentTitle } from '@/shared/composables/usePageTitle'
import { loadData } from '@/shared/lib/data'
import { renderWith } from '@/shared/lib/firstData'
import { directionOf } from '@/shared/lib/direction'
import { everyText, i18n, loadTexts, setLanguage, type Language } from '@/shared/lib/i18n'
import { formatMoney } from '@/shared/lib/money'
import { formatDuration } from '@/shared/lib/time'
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

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

/** The words that the server puts figures into (backend/api/entry_texts.py), and how a few figures are written. */
export async function words(language: Language) {
  await setLanguage(language)
  await loadTexts(...everyText)
  const { t } = i18n.global
  const forms = (key: Parameters<typeof t>[0]) => [
    t(key, 0),
    t(key, 1),
    t(key, 7391).replaceAll('7391', '{{count}}'),
  ]
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
export { formatDuration, formatMoney }

export { directionOf }
