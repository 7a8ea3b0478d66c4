import { createI18n } from 'vue-i18n'
import en, { sets as enSets } from '@/locales/en'
import type { Sets, Texts } from '@/locales/byName'
import type { CustomerSignUp } from '@/shared/api/generated'
import { directionOf } from './direction'

/**
 * A language is a folder of src/locales: `name.ts` has its name, `index.ts` what every page says, and each route has a set of its own
 * (scripts/vite/texts.ts). Nothing else names it.
 */
export type Language = NonNullable<CustomerSignUp['language']>

/** Kept in a cookie, so that the server answers with a page in this language. */
const stored = 'doorstep-language'
const year = 31_536_000
const firsts = import.meta.glob<{ default: Texts; sets: Sets }>([
  '../../locales/*/index.ts',
  '!../../locales/en/index.ts',
])

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en },
  // A text is at most still on its way when it is missing here; locales.spec.ts finds those that do not exist.
  missingWarn: false,
  fallbackWarn: false,
})

const found = import.meta.glob<string>('../../locales/*/name.ts', { eager: true, import: 'default' })

/** The languages of these folders by their own names, English first. */
export function languagesIn(folders: Record<string, string>): Map<Language, string> {
  const all = Object.entries(folders).map(
    ([path, name]) => [path.split('/').at(-2) as Language, name] as const,
  )
  return new Map(all.sort(([one], [other]) => Number(other === 'en') - Number(one === 'en')))
}
export const ownNames = languagesIn(found)
export const available = [...ownNames.keys()]

type Load = (() => Promise<{ default: Texts }>) | undefined
const loaded = new Map<string, Promise<void>>()
/** Names of the sets that pages have asked for: they are needed in every language that is chosen. */
const asked = new Set<string>()

async function merge(load: Load, code: string): Promise<void> {
  if (load) i18n.global.mergeLocaleMessage(code, (await load()).default)
}

function once(name: string, load: Load, code: string): Promise<void> {
  const key = `${code} ${name}`
  let running = loaded.get(key)
  if (!running) {
    running = merge(load, code).catch((error: unknown) => {
      loaded.delete(key)
      throw error
    })
    loaded.set(key, running)
  }
  return running
}

/** Of each language, once its first texts are loaded. */
const sets: Partial<Record<string, Sets>> = { en: enSets }
const loadSet = (name: string, code: string) => once(name, sets[code]?.[name], code)

async function loadFirst(code: Language): Promise<void> {
  const load = firsts[`../../locales/${code}/index.ts`]
  const first =
    load &&
    (async () => {
      const part = await load()
      sets[code] = part.sets
      return part
    })
  await once('first', first, code)
}

/** Load sets by their names: routes' paths, `frame`, `shared`. */
export async function loadTexts(...names: string[]): Promise<void> {
  const code = i18n.global.locale.value
  for (const name of names) asked.add(name)
  await Promise.all(names.map((name) => loadSet(name, code)))
}
export const everyText = Object.keys(enSets)

/** The language chosen on this device. */
const chosen = (): string | undefined => /(?:^|;\s*)doorstep-language=([a-z]+)/.exec(document.cookie)?.[1]
/** True when a language was chosen on this device. */
export const hasChosen = (): boolean => chosen() !== undefined

/** `keep` remembers it as the choice of this device. */
export async function setLanguage(code: Language, { keep = true } = {}): Promise<void> {
  await loadFirst(code)
  const loadAsked = () => Promise.all([...asked].map((name) => loadSet(name, code)))
  await loadAsked()
  // A page that was opened meanwhile has loaded its texts in the language before.
  await loadAsked()
  i18n.global.locale.value = code
  if (import.meta.env.SSR) return
  if (document.documentElement.lang !== code)
    Object.assign(document.documentElement, { lang: code, dir: directionOf(code) })
  if (keep) keepLanguage(code)
}

function keepLanguage(code: Language): void {
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  document.cookie = `${stored}=${code}; Path=/; Max-Age=${year}; SameSite=Lax${secure}`
}

/**
 * The language of the link (`?lang=hi`, which search engines lead to), else the one chosen before, which the server knows by
 * the cookie, else that of the page as it was sent: one that the browser prefers.
 */
export async function startLanguage(): Promise<void> {
  const linked = new URLSearchParams(location.search).get('lang')
  const wanted = [linked, chosen(), document.documentElement.lang]
  const code = wanted.flatMap((one) => available.filter((language) => language === one))[0]
  if (code && code !== 'en')
    await setLanguage(code, { keep: code === linked || hasChosen() }).catch(() => undefined)
}
