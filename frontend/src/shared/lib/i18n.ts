import { createI18n } from 'vue-i18n'
import en from '@/locales/en'
import type { Texts } from '@/locales/byName'
import { local } from './storage'

/** A language is a folder: `index.ts` holds what the first page needs, `rest.ts` everything else. */

export const languages = ['en', 'hi'] as const
export type Language = (typeof languages)[number]

const stored = 'doorstep-language'
const firsts = import.meta.glob<{ default: Texts }>([
  '../../locales/*/index.ts',
  '!../../locales/en/index.ts',
])
const rests = import.meta.glob<{ default: Texts }>('../../locales/*/rest.ts')

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en },
  // A text is at most still on its way when it is missing here; locales.spec.ts finds those that do not exist.
  missingWarn: false,
  fallbackWarn: false,
})

/** Languages that have a folder under src/locales. */
export const available = languages.filter(
  (code) => code === 'en' || `../../locales/${code}/index.ts` in firsts,
)

const loaded = new Map<string, Promise<void>>()

async function merge(loader: (() => Promise<{ default: Texts }>) | undefined, code: string): Promise<void> {
  if (loader) i18n.global.mergeLocaleMessage(code, (await loader()).default)
}

function once(
  path: string,
  loader: (() => Promise<{ default: Texts }>) | undefined,
  code: string,
): Promise<void> {
  let running = loaded.get(path)
  if (!running) {
    running = merge(loader, code).catch((error: unknown) => {
      loaded.delete(path)
      throw error
    })
    loaded.set(path, running)
  }
  return running
}

/** What pages beyond the first one say; English too, as what is missing in the language falls back to it. */
export async function loadRest(): Promise<void> {
  const codes = new Set(['en', i18n.global.locale.value])
  await Promise.all(
    [...codes].map((code) => once(`rest:${code}`, rests[`../../locales/${code}/rest.ts`], code)),
  )
}

/** True when a language was chosen on this device. */
export const hasChosen = (): boolean => local.get(stored) !== null

/** `keep` remembers it as the choice of this device. */
export async function setLanguage(code: Language, { keep = true } = {}): Promise<void> {
  // Where a page beyond the first one stands, all its texts change at once; the first page goes without the rest.
  const parts = [once(`first:${code}`, firsts[`../../locales/${code}/index.ts`], code)]
  const rest = () => once(`rest:${code}`, rests[`../../locales/${code}/rest.ts`], code)
  if (loaded.has('rest:en')) parts.push(rest())
  await Promise.all(parts)
  // A page that was opened meanwhile has loaded the rest in the language before.
  if (loaded.has('rest:en')) await rest()
  i18n.global.locale.value = code
  document.documentElement.lang = code
  if (keep) local.set(stored, code)
}

/** The language of the link (`?lang=hi`, which search engines lead to), else the one chosen before, else the browser's. */
export async function startLanguage(): Promise<void> {
  const asked = new URLSearchParams(location.search).get('lang')
  const kept = local.get(stored) ?? navigator.language.slice(0, 2)
  const code = [asked, kept].flatMap((wanted) => available.filter((language) => language === wanted))[0]
  if (code && code !== 'en')
    await setLanguage(code, { keep: code === asked || hasChosen() }).catch(() => undefined)
}
