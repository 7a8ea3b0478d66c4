import { createI18n } from 'vue-i18n'
import en from '@/locales/en'

export const languages = ['en', 'hi'] as const
export type Language = (typeof languages)[number]

const stored = 'doorstep-language'
const loaders = import.meta.glob<{ default: typeof en }>(['../locales/*/index.ts', '!../locales/en/index.ts'])

export const i18n = createI18n({
  legacy: false,
  locale: 'en',
  fallbackLocale: 'en',
  messages: { en } as Record<string, typeof en>,
  missingWarn: import.meta.env.DEV,
  fallbackWarn: false,
})

/** Languages that have a folder under src/locales. */
export const available = languages.filter((code) => code === 'en' || `../locales/${code}/index.ts` in loaders)

export async function setLanguage(code: Language): Promise<void> {
  const load = loaders[`../locales/${code}/index.ts`]
  if (load && !i18n.global.availableLocales.includes(code)) i18n.global.setLocaleMessage(code, (await load()).default)
  i18n.global.locale.value = code
  document.documentElement.lang = code
  localStorage.setItem(stored, code)
}

/** The language chosen before, else the browser's, else English. */
export async function startLanguage(): Promise<void> {
  const wanted = localStorage.getItem(stored) ?? navigator.language.slice(0, 2)
  const code = available.find((language) => language === wanted)
  if (code && code !== 'en') await setLanguage(code)
}
