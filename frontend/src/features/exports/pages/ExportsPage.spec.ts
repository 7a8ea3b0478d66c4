import { describe, expect, it } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import ExportsPage from './ExportsPage.vue'

const one = (more: object = {}) => ({
  id: 4,
  status: 'running',
  progress: 40,
  rows: 400,
  professional_id: null,
  from: '2026-10-01',
  to: '2026-10-31',
  requested_by: 1,
  created_at: '2026-11-22T10:00:00Z',
  started_at: null,
  finished_at: null,
  expires_at: null,
  size: null,
  sha256: null,
  failure: null,
  download_url: null,
  ...more,
})
const page = (...items: object[]) => ({ items, next_cursor: null })
const done = one({
  status: 'done',
  progress: 100,
  expires_at: '2099-01-01T00:00:00Z',
  size: 65_000,
  download_url: '/exports/4/download',
})
const labels = () =>
  [...document.querySelectorAll('article button')].map((button) => button.textContent?.trim())

describe('ExportsPage', () => {
  it('follows a running export until it can be downloaded', async () => {
    const seen = answer(
      'get',
      '/exports',
      [200, page(one())],
      [200, page(one({ progress: 80 }))],
      [200, page(done)],
    )
    const { wrapper } = await show(ExportsPage, { user: someone('admin', { id: 1 }) })
    await until(() => wrapper.text().includes('40%'), 'the first look')
    expect(labels()).toEqual(['Cancel export'])
    await until(() => wrapper.text().includes('80%'), 'the second poll')
    await until(() => labels().includes('Download'), 'the end')
    expect(seen).toHaveLength(3)
    expect(wrapper.text()).toContain('400 rows')
  })

  it('shows why an export failed and offers to repeat it', async () => {
    answer('get', '/exports', [
      200,
      page(one({ status: 'failed', failure: 'The disk is full.', professional_id: 9 })),
    ])
    const started = answer('post', '/exports', [202, one({ id: 5, status: 'queued' })])
    const { wrapper } = await show(ExportsPage, { user: someone('admin', { id: 1 }) })
    await until(() => wrapper.text().includes('The disk is full.'), 'the reason')
    document.querySelector<HTMLButtonElement>('article button')?.click()
    await until(() => started.length === 1, 'the call')
    expect(started[0]?.body).toEqual({ professional_id: 9, from: '2026-10-01', to: '2026-10-31' })
    expect(started[0]?.headers.get('Idempotency-Key')).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('shows an expired file as no longer available', async () => {
    answer('get', '/exports', [200, page({ ...done, expires_at: '2026-01-01T00:00:00Z' })])
    const { wrapper } = await show(ExportsPage, { user: someone('admin', { id: 1 }) })
    await until(() => wrapper.text().includes('Expired'), 'the word')
    expect(labels()).toEqual(['Start again'])
  })

  it('explains how to create an export when the list is empty', async () => {
    answer('get', '/exports', [200, page()])
    const { wrapper } = await show(ExportsPage, { user: someone('admin', { id: 1 }) })
    await until(() => wrapper.text().includes('No exports yet'), 'emptiness')
  })
})
