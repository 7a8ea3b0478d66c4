import { describe, expect, it } from 'vitest'
import errors from '@/locales/en/errors.json'
import reports from '@/locales/en/reports.json'
import { show, someone, until } from '@/shared/testing/mount'
import { link, press, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import { monthBeside, monthName, thisMonth } from '../useReports'
import ReportPage from './ReportPage.vue'

const report = {
  customer_id: 7,
  month: '2026-10',
  unfinished: false,
  sent_at: '2026-11-01T06:00:00+05:30',
  generated_at: '2026-11-01T06:00:00+05:30',
  requested: 4,
  accepted: 3,
  completed: 2,
  closed: 1,
  cancelled: 0,
  spent: '1497.00',
  currency: 'INR',
  professionals_met: 2,
  reviews_given: 1,
  upcoming_count: 1,
  upcoming: [
    { id: 12, task_name: 'Tap repair', status: 'accepted', date_of_request: '2026-11-03T09:00:00+05:30' },
  ],
}

function page(month: string, ...answers: [number, object?][]) {
  const asked = answer('get', '/reports/:month', ...(answers as [number, never][]))
  return show(ReportPage, {
    user: someone('customer'),
    path: `/reports/${month}`,
    route: '/reports/:month',
  }).then((mounted) => ({ ...mounted, asked }))
}
const before = monthBeside(thisMonth(), -1) ?? ''

describe('ReportPage', () => {
  it('shows the month with what is upcoming, and leads to the months beside it', async () => {
    const { asked } = await page('2026-01', [200, { ...report, month: '2026-01' }])
    await sees('₹1,497')
    expect(asked[0]?.url.pathname).toBe('/reports/2026-01')
    expect(asked[0]?.headers.get('accept')).toBe('application/json')
    expect(says(reports.sentAt)).toBe(true)
    expect(link('Tap repair')?.getAttribute('href')).toBe('/requests/12')
    expect(link(monthName('2025-12', 'en'))?.getAttribute('href')).toBe('/reports/2025-12')
    expect(link(monthName('2026-02', 'en'))?.getAttribute('href')).toBe('/reports/2026-02')
  })

  it('marks a month that is not over, and leads to none after it', async () => {
    const month = thisMonth()
    await page(month, [200, { ...report, month, unfinished: true, sent_at: null, upcoming: [] }])
    await sees(reports.unfinishedHint)
    expect(says(reports.sentAt)).toBe(false)
    expect(says(reports.upcoming)).toBe(false)
    expect(document.querySelectorAll(`nav[aria-label="${reports.beside}"] a`)).toHaveLength(1)
    expect(link(monthName(before, 'en'))).toBeDefined()
  })

  it('reads the next month when one goes on to it', async () => {
    const { asked, router } = await page('2026-01', [200, report])
    await sees('₹1,497')
    await router.push('/reports/2026-02')
    await until(() => asked.at(-1)?.url.pathname === '/reports/2026-02', 'the call')
  })

  it('says what went wrong under the name of the page, and can be read again', async () => {
    await page('2026-01', [500], [200, report])
    await sees(errors.status_500)
    expect(document.querySelector('h1')?.textContent.trim()).toBe(reports.title)
    await press('Try again')
    await sees('₹1,497')
  })
})
