import { describe, expect, it } from 'vitest'
import agenda from '@/locales/en/agenda.json'
import { marketToday, shiftDay, toIso, weekOf } from '@/shared/lib/marketTime'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { button, link, press, queryOf, says, sees } from '@/shared/testing/screen'
import AgendaPage from './AgendaPage.vue'

const work = (day: string) => ({
  id: 3,
  task_id: 1,
  task_name: 'Tap repair',
  status: 'accepted',
  date_of_request: toIso(day, '09:00'),
  time_required: 60,
  price: '499.00',
  currency: 'INR',
  address: '12 MG Road',
  pincode: '560001',
  distance_km: null,
  allowed_actions: [],
  customer: { id: 4, firstname: 'Asha' },
  professional: null,
})
const day = (date: string, requests: object[] = []) => ({
  date,
  hours: [{ from: '09:00', to: '18:00' }],
  exception: false,
  requests,
})
const days = (first: string, count: number, busy?: string) => ({
  items: Array.from({ length: count }, (_, index) => shiftDay(first, index)).map((date) =>
    day(date, date === busy ? [work(date)] : []),
  ),
  timezone: 'Asia/Kolkata',
})

async function page(path: string, answered: object = days('2026-12-06', 8)) {
  const asked = answer('get', '/me/agenda', [200, answered as never])
  const { router } = await show(AgendaPage, { user: someone('professional'), path })
  await until(() => asked.length > 0, 'the call')
  return { asked, router, span: () => [queryOf(asked.at(-1)).from, queryOf(asked.at(-1)).to] }
}

describe('AgendaPage', () => {
  it('asks for the week of a day, and for the day before it, which may go on into it', async () => {
    const { span } = await page('/agenda?day=2026-12-09', days('2026-12-06', 8, '2026-12-09'))
    expect(span()).toEqual(['2026-12-06', '2026-12-13'])
    await until(() => says('Tap repair'), 'the work')
    expect(document.querySelector('a[href="/requests/3"]')).not.toBeNull()
    expect(says(agenda.free.week)).toBe(false)
  })

  it('begins with this week where the address names no day of the calendar', async () => {
    const week = weekOf(marketToday())
    const { span } = await page('/agenda?day=2026-02-31')
    expect(span()).toEqual([shiftDay(week[0] ?? '', -1), week[6]])
  })

  it('goes a week on and back, and to today', async () => {
    const { router, span } = await page('/agenda?view=week&day=2026-12-09')
    await press(agenda.after.week)
    await until(() => span()[1] === '2026-12-20', 'the next week')
    await press(agenda.before.week)
    await until(() => router.currentRoute.value.query.day === '2026-12-09', 'the first week')
    await press(agenda.before.week)
    await until(() => router.currentRoute.value.query.day === '2026-12-02', 'the week before')
    await press(agenda.today)
    await until(() => router.currentRoute.value.query.day === marketToday(), 'today')
  })

  it('goes two weeks back at two clicks before the first week is shown', async () => {
    const { router } = await page('/agenda?view=week&day=2026-12-16')
    button(agenda.before.week)?.click()
    button(agenda.before.week)?.click()
    await until(() => router.currentRoute.value.query.day === '2026-12-02', 'two weeks before')
  })

  it('keeps the day when the view changes, and goes day by day in that one', async () => {
    const { router, span } = await page('/agenda?view=week&day=2026-12-09')
    await press(agenda.views.day)
    await until(() => span().join() === '2026-12-08,2026-12-09', 'the day')
    await press(agenda.after.day)
    await until(() => router.currentRoute.value.query.day === '2026-12-10', 'the next day')
    expect(button(agenda.after.week)).toBeUndefined()
  })

  it('leads to the open requests where nothing was accepted', async () => {
    await page('/agenda?day=2026-12-09')
    await sees(agenda.free.week)
    expect(link(agenda.free.toInbox)?.getAttribute('href')).toBe('/inbox')
  })
})
