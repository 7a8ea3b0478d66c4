import { describe, expect, it } from 'vitest'
import { show, someone } from '@/shared/testing/mount'
import RunCounts from './RunCounts.vue'

const run = {
  id: 1,
  name: 'housekeeping',
  status: 'done',
  created_at: '2026-11-25T10:00:00+00:00',
  started_at: '2026-11-25T10:00:00+00:00',
  finished_at: '2026-11-25T10:00:02+00:00',
  seconds: 2,
  sent: 4,
  failed: 0,
  skipped: 0,
  error: null,
  requested_by: null,
  params: {},
}
async function said(changes: object): Promise<string> {
  await show(RunCounts, { props: { run: { ...run, ...changes } }, user: someone('admin') })
  return document.body.textContent
}

describe('RunCounts', () => {
  it('lists the counts of each housekeeping part', async () => {
    const text = await said({
      params: { figures: { requests_expired: 3, exports_dropped: 1, links_dropped: 0 }, failed_parts: [] },
    })
    expect(text).toContain('3 requests expired')
    expect(text).toContain('1 export deleted')
    expect(text).not.toContain('link')
    expect(text).not.toContain('sent')
  })
  it('says when there was nothing to do', async () => {
    expect(await said({ params: { figures: {} } })).toContain('nothing to do')
  })
  it('shows the number of sent messages for other jobs', async () => {
    expect(await said({ name: 'daily-reminders' })).toContain('4 sent')
  })
})
