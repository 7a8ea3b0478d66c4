import { describe, expect, it } from 'vitest'
import errors from '@/locales/en/errors.json'
import jobs from '@/locales/en/jobs.json'
import { show, someone, until } from '@/shared/testing/mount'
import { confirm, press, queryOf, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import JobsPage from './JobsPage.vue'

const housekeeping = {
  name: 'housekeeping',
  title: 'Housekeeping, says the server',
  schedule: 'every 10 minutes',
  last_run: null,
  next_run: '2026-11-27T10:00:00+05:30',
}
const failed = {
  id: 77,
  topic: 'export.run',
  attempts: 5,
  error: 'Disk full',
  created_at: '2026-11-20T10:00:00+05:30',
  failed_at: '2026-11-20T11:00:00+05:30',
  parked_at: null,
}
const run = {
  id: 8,
  name: 'housekeeping',
  status: 'done',
  created_at: '2026-11-20T10:00:00+05:30',
  started_at: '2026-11-20T10:00:00+05:30',
  finished_at: '2026-11-20T10:00:02+05:30',
  seconds: 2,
  sent: 4,
  failed: 1,
  skipped: 0,
  error: null,
  requested_by: null,
  params: {},
}

async function page(more: object = {}, broken: object[] = [], path = '/admin/jobs', processes: object = {}) {
  const all = { items: [housekeeping], waiting: 0, oldest_waiting_seconds: 0, ...more }
  const asked = answer('get', '/jobs', [200, all as never])
  answer('get', '/jobs/failed', [200, { items: broken, next_cursor: null } as never])
  answer('get', '/processes', [200, { items: [], next_cursor: null, findings: [], ...processes } as never])
  const { router } = await show(JobsPage, { user: someone('admin'), path })
  await sees(jobs.failedTitle)
  return { asked, router }
}
const named = (text: string) => text.replace('{title}', jobs.names.housekeeping)

describe('JobsPage', () => {
  it('runs a job after a question, and reads how it went', async () => {
    const runs = answer('post', '/jobs/housekeeping/run', [202, run])
    const { asked } = await page()
    await press(named(jobs.runNamed))
    await sees(jobs.follows.other)
    expect(runs).toEqual([])
    const before = asked.length
    await confirm(jobs.run)
    await sees(named(jobs.started))
    expect(runs.map(({ body }) => body)).toEqual([{}])
    await until(() => asked.length > before, 'the jobs now')
  })

  it('keeps the question open, with the reason, when the job runs already', async () => {
    answer('post', '/jobs/housekeeping/run', [409, { code: 'still_running' }])
    await page()
    await press(named(jobs.runNamed))
    await confirm(jobs.run)
    await sees(errors.still_running)
    expect(document.querySelector('[role="dialog"] form')).not.toBeNull()
  })

  it('says its own words for a job, and the server’s for one that it does not know', async () => {
    await page({
      items: [housekeeping, { ...housekeeping, name: 'moon-landing', title: 'Lands on the moon' }],
    })
    expect(says(jobs.does.housekeeping)).toBe(true)
    expect(says('Housekeeping, says the server')).toBe(false)
    expect(says('Lands on the moon')).toBe(true)
  })

  it('says how long the queue has waited, and nothing of it while it is empty', async () => {
    await page({ waiting: 3, oldest_waiting_seconds: 59 })
    expect(says('3 jobs in the queue, waiting up to 59 seconds')).toBe(true)
    expect(says(jobs.late)).toBe(false)
    await page()
    expect(says(`${jobs.waiting.split(' | ')[0] ?? ''},`)).toBe(false)
  })

  it.each([
    [61, 'waiting up to 61 seconds'],
    [5_405, 'waiting up to 1 hr 30 mins'],
  ])('says in words that jobs are delayed after %i seconds', async (seconds, waited) => {
    await page({ waiting: 3, oldest_waiting_seconds: seconds })
    expect(says(`${jobs.late} 3 jobs in the queue, ${waited}`)).toBe(true)
  })

  it('retries a failed job, and says so when it could not', async () => {
    const retried = answer('post', '/jobs/failed/77/retry', [503, { code: 'unavailable' }], [202, {}])
    await page({}, [failed])
    await sees('Disk full')
    expect(says(jobs.topics.export_run)).toBe(true)
    await press(jobs.retry)
    await sees(errors.unavailable)
    await press(jobs.retry)
    await sees(jobs.retried)
    expect(retried).toHaveLength(2)
  })

  it('opens the past runs of one job, each with the messages that failed in it', async () => {
    const runs = answer('get', '/jobs/runs', [200, { items: [run], next_cursor: null }])
    const { router } = await page()
    await press(named(jobs.historyOf))
    await sees(jobs.whichFailed)
    expect(queryOf(runs[0])).toEqual({ name: 'housekeeping', limit: '10' })
    expect(router.currentRoute.value.query).toEqual({ history: 'housekeeping' })
    expect(document.querySelector('a[href="/admin/deliveries?run_id=8&state=failed"]')).not.toBeNull()
  })

  it('names processes that are silent or disagree', async () => {
    const one = {
      id: 'a',
      kind: 'worker',
      machine: 'm2',
      pid: 31,
      version: '0.2.0',
      started_at: '2026-11-20T10:00:00+05:30',
      seen_at: '2026-11-20T10:05:00+05:30',
      silent: true,
    }
    const finding = { topic: 'settings', names: ['MARKET_CURRENCY'], processes: ['worker 31 on m2'] }
    await page({}, [], '/admin/jobs', { items: [one], findings: [finding] })
    await sees(jobs.processes.on.replace('{kind}', jobs.processes.kinds.worker).replace('{machine}', 'm2'))
    await sees(
      jobs.processes.findings.settings
        .replace('{names}', 'MARKET_CURRENCY')
        .replace('{processes}', 'worker 31 on m2'),
    )
    expect(says(jobs.processes.silent)).toBe(true)
  })
})
