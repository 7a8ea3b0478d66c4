import { describe, expect, it } from 'vitest'
import accounts from '@/locales/en/accounts.json'
import errors from '@/locales/en/errors.json'
import market from '@/locales/en/market.json'
import { show, someone, until } from '@/shared/testing/mount'
import { field, fill, fillAll, press, problemOf, sees, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import SettingsPage from './SettingsPage.vue'

const settings = {
  answer_within_minutes: 120,
  min_notice_minutes: 0,
  free_cancel_minutes: 120,
  travel_buffer_minutes: 15,
  tell_nearest: 10,
  reminder_at: '18:00:00',
  day_begins_at: '08:00:00',
  day_ends_at: '20:00:00',
  start_code: 'off',
  visit_reminders: 'off',
  extra_work_cap_percent: 0,
  extra_work_reasons: '',
  offer_valid_hours: 48,
  contact: 'shown',
  timezone: 'Asia/Kolkata',
  currency: 'INR',
}
const tag = (version: number) => ({ etag: `"v${version}"` })

async function page(path = '/admin/settings') {
  answer('get', '/places', [200, { items: [] }])
  answer('get', '/settings', [200, settings, tag(1)])
  const { router } = await show(SettingsPage, { user: someone('admin'), path })
  await until(() => document.querySelector('form') !== null, 'the form')
  return router
}

describe('SettingsPage', () => {
  it('sends only what was changed, for the version that was read, and the next change for the next one', async () => {
    const saved = answer('patch', '/settings', [200, { ...settings, reminder_at: '19:30:00' }, tag(2)])
    await page()
    fill(market.fields.reminder_at, '19:30')
    await submit()
    await sees(market.saved)
    fill(market.fields.day_begins_at, '07:00')
    await submit()
    await until(() => saved.length === 2, 'the second call')
    expect(saved.map(({ body }) => body)).toEqual([{ reminder_at: '19:30' }, { day_begins_at: '07:00' }])
    expect(saved.map(({ headers }) => headers.get('if-match'))).toEqual(['"v1"', '"v2"'])
  })

  it('calls nothing where nothing was changed, and says so', async () => {
    const saved = answer('patch', '/settings', [200, settings])
    await page()
    await submit()
    await sees(market.unchanged)
    expect(saved).toEqual([])
  })

  it('keeps what was typed when another admin was faster', async () => {
    answer('patch', '/settings', [412, { code: 'stale' }])
    await page()
    fill(market.fields.reminder_at, '19:30')
    await submit()
    await sees(errors.stale)
    expect(field(market.fields.reminder_at).value).toBe('19:30')
  })

  it('refuses a day that ends before it starts', async () => {
    const saved = answer('patch', '/settings', [200, settings])
    await page()
    fill(market.fields.day_ends_at, '07:00')
    await submit()
    await until(() => problemOf(market.fields.day_ends_at)?.includes(market.dayOrder) === true, 'the word')
    expect(saved).toEqual([])
  })

  it('adds an admin in a panel, and keeps it open with what was typed when the username is taken', async () => {
    const added = answer(
      'post',
      '/admins',
      [422, { code: 'username_taken', errors: { username: ['The server says so.'] } }],
      [201, { username: 'meera2' }],
    )
    const router = await page()
    await press(market.admins.add)
    await until(() => document.querySelector('[role="dialog"] form') !== null, 'the panel')
    const { fields } = accounts
    fillAll({
      [fields.firstname]: 'Meera',
      [fields.lastname]: 'Iyer',
      [fields.username]: 'meera',
      [fields.email]: 'meera@example.org',
      [fields.password]: 'four words are better',
      [fields.address]: '1 Road',
      [fields.pincode]: '560001',
    })
    await submit('[role="dialog"] form')
    await until(() => problemOf(fields.username)?.includes(errors.username_taken) === true, 'the word')
    expect(field(fields.email).value).toBe('meera@example.org')
    fill(fields.username, 'meera2')
    await submit('[role="dialog"] form')
    await sees(market.admins.added.replace('{name}', 'meera2'))
    expect(added[1]?.body).toMatchObject({ username: 'meera2', pincode: '560001' })
    await until(() => router.currentRoute.value.query.add === undefined, 'the end of the panel')
  })
})
