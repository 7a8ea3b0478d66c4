/**
 * The part of vue-i18n in use here, with the keys of the English texts as the only ones.
 *
 * The library's own types offer known keys but accept any string, in scripts and in templates;
 * tsconfig.json reads this file in their place, so `$t('typo')` fails. What a new use needs is added here.
 */
import type { App, WritableComputedRef } from 'vue'
import type { Texts } from '@/locales/byName'
import type { TextKey } from '@/locales/keys'

/** `count` chooses the form of a plural. */
export type Translate = (
  key: TextKey,
  ...values: [] | [count: number] | [named: Record<string, unknown>, count?: number]
) => string

/** Whether there is a text in the language of the page, whose texts alone are loaded; each key has one in English too. */
export type HasText = (key: string) => key is TextKey

export interface Composer {
  t: Translate
  te: HasText
  locale: WritableComputedRef<string>
}

export interface I18n {
  global: Composer & { mergeLocaleMessage: (locale: string, texts: Texts) => void }
  install: (app: App) => void
}

export function createI18n(options: {
  legacy: false
  locale: string
  fallbackLocale: string
  messages: Record<string, Texts>
  missingWarn: boolean
  fallbackWarn: boolean
}): I18n

export function useI18n(): Composer

declare module 'vue' {
  interface ComponentCustomProperties {
    $t: Translate
    $te: HasText
    $i18n: { locale: string }
  }
}
