import { afterEach, expect, it } from 'vitest'
import { formatMoney } from '@/shared/lib/money'
import { formatTime } from '@/shared/lib/time'
import { available, i18n, setLanguage, startLanguage } from './i18n'

afterEach(async () => {
  await setLanguage('en')
  localStorage.clear()
})

it('offers English and Hindi', () => {
  expect(available).toEqual(['en', 'hi'])
})

it('changes texts, the document and what is remembered, other pages included', async () => {
  await setLanguage('hi')
  expect(i18n.global.t('nav.signIn')).toBe('साइन इन')
  expect(i18n.global.t('requests.inbox.title')).toBe('जवाब का इंतज़ार')
  expect(i18n.global.t('search.card.professionals', 3)).toBe('3 पेशेवर')
  expect(document.documentElement.lang).toBe('hi')
  expect(localStorage.getItem('doorstep-language')).toBe('hi')
})

it('begins with the language chosen before', async () => {
  localStorage.setItem('doorstep-language', 'hi')
  await startLanguage()
  expect(i18n.global.locale.value).toBe('hi')
})

it('stays with English where the stored language does not exist', async () => {
  localStorage.setItem('doorstep-language', 'xx')
  await startLanguage()
  expect(i18n.global.locale.value).toBe('en')
})

it('writes dates and money as the language does', () => {
  expect(formatTime('2026-10-15T06:30:00Z', 'month', 'hi')).toBe('अक्टूबर 2026')
  expect(formatMoney('2499.00', 'INR', 'hi')).toBe('₹2,499')
})
