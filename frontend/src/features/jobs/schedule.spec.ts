import { expect, it } from 'vitest'
import { i18n } from '@/shared/lib/i18n'
import { scheduleIn } from './schedule'

it.each([
  ['every minute', 'every minute'],
  ['hourly', 'every hour'],
  ['every 15 minutes', 'every 15 minutes'],
  ['daily at 18:00', 'every day at 6:00 pm'],
  ['monthly, on day 1 at 07:05', 'every month on day 1 at 7:05 am'],
  ['at full moon', 'at full moon'],
])('%s', (text, words) => {
  expect(
    scheduleIn(text, i18n.global.t, 'en').replace(/\s(am|pm)$/i, (one) => ` ${one.trim().toLowerCase()}`),
  ).toBe(words)
})
