import { afterEach, expect, it } from 'vitest'
import type { ComponentCustomProperties } from 'vue'
import { formatMoney } from '@/shared/lib/money'
import { formatTime } from '@/shared/lib/time'
import { available, i18n, languagesIn, setLanguage, startLanguage } from './i18n'

afterEach(async () => {
  await setLanguage('en')
  document.cookie = 'doorstep-language=; max-age=0; path=/'
})

it('offers English and Hindi', () => {
  expect(available).toEqual(['en', 'hi'])
})

it('takes each folder for a language, and English for the first', () => {
  const found = languagesIn({
    '../../locales/ar/name.ts': 'العربية',
    '../../locales/en/name.ts': 'English',
    '../../locales/xx/name.ts': 'Pseudo',
  })
  expect([...found]).toEqual([
    ['en', 'English'],
    ['ar', 'العربية'],
    ['xx', 'Pseudo'],
  ])
})

it("changes texts, the document's language and the stored choice", async () => {
  await setLanguage('hi')
  expect(i18n.global.t('nav.signIn')).toBe('साइन इन')
  expect(i18n.global.t('requests.inbox.title')).toBe('इनबॉक्स')
  expect(i18n.global.t('search.card.professionals', 3)).toBe('3 प्रोफ़ेशनल')
  expect(document.documentElement.lang).toBe('hi')
  expect(document.cookie).toContain('doorstep-language=hi')
})

it('takes no key but those of the English texts, in scripts and in templates', () => {
  const inTemplates: ComponentCustomProperties['$t'] = i18n.global.t
  // @ts-expect-error There is no such text: the type check fails here when unknown keys pass.
  expect(i18n.global.t('nav.noSuchText')).toBe('nav.noSuchText')
  // @ts-expect-error The same for $t.
  expect(inTemplates('nav.noSuchText')).toBe('nav.noSuchText')
})

it('begins with the language chosen before', async () => {
  document.cookie = 'doorstep-language=hi; path=/'
  await startLanguage()
  expect(i18n.global.locale.value).toBe('hi')
})

it('begins with the language of the link, and says it is chosen from then on', async () => {
  window.history.replaceState(null, '', '?lang=hi')
  await startLanguage()
  window.history.replaceState(null, '', '?')
  expect(i18n.global.locale.value).toBe('hi')
  expect(document.cookie).toContain('doorstep-language=hi')
})

it('stays with English where the stored language does not exist', async () => {
  document.cookie = 'doorstep-language=xx; path=/'
  await startLanguage()
  expect(i18n.global.locale.value).toBe('en')
})

it('writes dates and money as the language does', () => {
  expect(formatTime('2026-10-15T06:30:00Z', 'month', 'hi')).toBe('अक्टूबर 2026')
  expect(formatMoney('2499.00', 'INR', 'hi')).toBe('₹2,499')
})
