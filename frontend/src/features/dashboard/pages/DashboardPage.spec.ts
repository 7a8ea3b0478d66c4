import { describe, expect, it } from 'vitest'
import common from '@/locales/en/common.json'
import dashboard from '@/locales/en/dashboard.json'
import errors from '@/locales/en/errors.json'
import exports from '@/locales/en/exports.json'
import { marketToday, shiftDay } from '@/shared/lib/marketTime'
import { show, someone, until } from '@/shared/testing/mount'
import { button, field, fill, press, queryOf, says, sees, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import DashboardPage from './DashboardPage.vue'

const { filters } = common
const kind = { total: 8, joined: 1, blocked: 0 }
const stats = {
  generated_at: '2026-11-20T10:00:00+05:30',
  from: '2026-10-22',
  to: '2026-11-20',
  step: 'day',
  currency: 'INR',
  approvals: { waiting: 3, oldest: '2026-11-18T10:00:00+05:30', expiring: 0, by_state: {} },
  professionals_by_rating: [],
  people: { customers: kind, professionals: kind },
  waiting: { total: 2, unanswered: 2, due_soon: 1, overdue: 0, oldest: null },
  requests_by_status: {},
  requests_by_day: [],
  cancellations: { requests: 9, cancelled: 2, expired: 1, share: 0.33 },
  top_tasks: [],
  top_pincodes: [],
  closed_work: { total: 0, value: '0.00', by_day: [], top_tasks: [] },
  jobs: {
    waiting: 0,
    failed: 4,
    deliveries_waiting: 0,
    deliveries_failed: 0,
    runs_failed: 0,
    parked: 4,
    oldest: null,
  },
}
const today = marketToday()

async function page(path = '/admin', ...answers: [number, object?][]) {
  const asked = answer('get', '/stats', ...((answers.length ? answers : [[200, stats]]) as [number, never][]))
  const { router } = await show(DashboardPage, { user: someone('admin'), path })
  await until(() => asked.length > 0, 'the call')
  return { asked, router }
}

describe('DashboardPage', () => {
  it('leads from what needs attention to its list', async () => {
    await page()
    await sees(dashboard.tiles.approvals)
    const href = (label: string) =>
      [...document.querySelectorAll('a')].find((one) => one.textContent.includes(label))?.getAttribute('href')
    expect(href(dashboard.tiles.approvals)).toBe('/admin/approvals')
    expect(href(dashboard.tiles.unanswered)).toBe('/admin/requests?status=requested')
    expect(href(dashboard.tiles.failed)).toBe('/admin/jobs#failed')
    expect(href(dashboard.cancelled)).toBe('/admin/reliability?role=customer&from=2026-10-22&to=2026-11-20')
    expect(says(dashboard.noRequests)).toBe(true)
  })

  it('asks for the days of a preset, and for the usual ones again without naming them', async () => {
    const { asked, router } = await page()
    await sees(dashboard.market)
    expect(queryOf(asked[0])).toEqual({})
    await press(dashboard.spans[7])
    await until(() => queryOf(asked.at(-1)).to === today, 'the week')
    expect(queryOf(asked.at(-1))).toEqual({ from: shiftDay(today, -6), to: today })
    expect(button(dashboard.spans[7])?.getAttribute('aria-pressed')).toBe('true')
    await press(dashboard.spans[30])
    await until(() => Object.keys(router.currentRoute.value.query).length === 0, 'the usual days')
  })

  it('keeps the last day that is shown when the first one is chosen by hand', async () => {
    const { asked } = await page()
    await sees(dashboard.market)
    fill(filters.from, '2026-11-01')
    await until(() => queryOf(asked.at(-1)).from === '2026-11-01', 'the call')
    expect(queryOf(asked.at(-1)).to).toBe('2026-11-20')
  })

  it('starts an export of the days that are shown', async () => {
    const started = answer('post', '/exports', [202, {}])
    const { router } = await page()
    await sees(dashboard.market)
    await press(dashboard.export)
    await until(() => document.querySelector('[role="dialog"] form') !== null, 'the form')
    expect([field(exports.from).value, field(exports.to).value]).toEqual(['2026-10-22', '2026-11-20'])
    await submit('[role="dialog"] form')
    await until(() => router.currentRoute.value.path === '/admin/exports', 'the exports')
    expect(started[0]?.body).toEqual({ from: '2026-10-22', to: '2026-11-20' })
    expect(started[0]?.headers.get('idempotency-key')).toBeTruthy()
  })

  it('can be read again when it failed', async () => {
    const { asked } = await page('/admin', [500], [200, stats])
    await sees(errors.status_500)
    await press('Try again')
    await sees(dashboard.market)
    expect(asked).toHaveLength(2)
  })
})
