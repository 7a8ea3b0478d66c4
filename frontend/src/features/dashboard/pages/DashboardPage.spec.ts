import { describe, expect, it, vi } from 'vitest'
import common from '@/locales/en/common.json'
import dashboard from '@/locales/en/dashboard.json'
import errors from '@/locales/en/errors.json'
import exports from '@/locales/en/exports.json'
import { marketToday, shiftDay } from '@/shared/lib/marketTime'
import { show, someone, until } from '@/shared/testing/mount'
import { button, field, fill, press, queryOf, says, sees, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import DashboardPage from './DashboardPage.vue'

// The test's document has no canvas to draw on. What a chart shows is in its table as well.
vi.mock('../components/BarChart.vue', () => ({ __esModule: true, default: { render: () => null } }))

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
  extra_work: {
    requests: 3,
    value: '450.00',
    agreed: '1500.00',
    share: 0.3,
    top_tasks: [
      { task_id: 7, task_name: 'Tap', requests: 2, value: '500.00', agreed: '1000.00', share: 0.5 },
      { task_id: 8, task_name: 'Lock', requests: 1, value: '-50.00', agreed: '500.00', share: -0.1 },
    ],
  },
  visits: {
    completed: 40,
    started_by_code: 25,
    started_by_customer: 10,
    started_without_code: 4,
    start_not_recorded: 1,
    arrived_late: 3,
    arrived_in_time: 27,
    arrival_not_recorded: 10,
    late_after_minutes: 15,
    code_share: 0.625,
    customer_share: 0.25,
    late_share: 0.1,
  },
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

  it('shows how visits were started, late arrivals and extra work', async () => {
    await page()
    await sees(dashboard.visits.completed)
    const rows = [...document.querySelectorAll('[aria-labelledby="starts"] li')].map((row) =>
      row.textContent.trim(),
    )
    expect(rows).toEqual([
      `${dashboard.visits.started_by_code}62.5%25`,
      `${dashboard.visits.started_by_customer}25%10`,
      `${dashboard.visits.started_without_code}10%4`,
      `${dashboard.visits.start_not_recorded}2.5%1`,
      `${dashboard.visits.arrived_in_time}90%27`,
      `${dashboard.visits.arrived_late}10%3`,
    ])
    expect(says('30 recorded arrivals. Late means more than 15 minutes after the requested time.')).toBe(true)
    expect(says('30% of the agreed prices, from 3 requests.')).toBe(true)
    const cells = [...document.querySelectorAll(`[aria-label="${dashboard.extra.title}"] tbody tr`)]
    expect(cells.map((row) => row.textContent.trim())).toEqual(['Tap₹500 (50%)', 'Lock-₹50 (-10%)'])
    expect(cells[0]?.querySelector('a')?.getAttribute('href')).toBe('/admin/requests?task_id=7&status=closed')
  })

  it('names what is missing where no visit was completed', async () => {
    const visits = Object.fromEntries(Object.keys(stats.visits).map((name) => [name, 0]))
    const extra = { requests: 0, value: '0.00', agreed: '0.00', share: 0, top_tasks: [] }
    await page('/admin', [200, { ...stats, visits, extra_work: extra }])
    await sees(dashboard.visits.none)
    expect(says(dashboard.extra.none)).toBe(true)
  })

  it('can be read again when it failed', async () => {
    const { asked } = await page('/admin', [500], [200, stats])
    await sees(errors.status_500)
    await press('Try again')
    await sees(dashboard.market)
    expect(asked).toHaveLength(2)
  })
})
