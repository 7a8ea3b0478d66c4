import { afterEach, describe, expect, it, vi } from 'vitest'
import { http, HttpResponse } from 'msw'
import texts from '@/locales/en/activity.json'
import type { TaskRequest } from '@/shared/api/types'
import { show, someone, until } from '@/shared/testing/mount'
import { press, says, sees } from '@/shared/testing/screen'
import { answer, server } from '@/shared/testing/server'
import AdminActivity from './components/AdminActivity.vue'

const at = '2026-11-27T10:00:00+05:30'
const entry = (more: object) => ({
  source: 'history',
  action: 'accept',
  at,
  received_at: at,
  actor_id: 9,
  actor_role: 'professional',
  note: null,
  details: {},
  ...more,
})
const items = [
  entry({ details: { status: 'accepted' } }),
  entry({ action: 'on_the_way', received_at: '2026-11-27T11:00:00+05:30', details: { eta_at: at } }),
  entry({ source: 'messages', action: 'write', note: 'The gate is green', details: { masked: true } }),
  entry({
    source: 'deliveries',
    action: 'notify',
    actor_role: 'customer',
    actor_id: 4,
    details: { kind: 'request_accepted', channel: 'mail', state: 'sent' },
  }),
  entry({ action: 'edit', details: { remarks: ['Old words', 'New words'] } }),
  entry({ action: 'add_photo', details: { phase: 'before' } }),
  entry({ action: 'approve_line', details: { kind: 'extra', by_code: true } }),
  entry({ action: 'undo_step', details: { step: 'arrive' } }),
  entry({ action: 'cancel', details: { reason_code: 'found_someone_else' } }),
]
const request = {
  id: 3,
  customer: { id: 4, firstname: 'Asha' },
  professional: { id: 9, firstname: 'Ravi' },
} as unknown as TaskRequest

const open = (unreported = 0) => {
  answer('get', '/requests/3/activity', [
    200,
    { request_id: 3, items, unreported_messages: unreported, sha256: 'ab12' },
  ])
  return show(AdminActivity, { user: someone('admin'), props: { request, icons: {} } })
}

afterEach(() => vi.restoreAllMocks())

describe('AdminActivity', () => {
  it('shows what every part contributes, with claimed and recorded times', async () => {
    await open(2)
    await sees('The gate is green')
    const missing = [
      '2 messages are not shown',
      'Ravi (professional)',
      'Asha (customer)',
      'Notification: Request accepted',
      'Old words → New words',
      'Email',
      'Before the work',
      'Extra work',
      'Arrived',
      'Found someone else',
      texts.receivedAt,
      texts.values.masked,
      'SHA-256: ab12',
    ].filter((words) => !says(words))
    expect(missing).toEqual([])
  })

  it('saves the PDF in the language of the page', async () => {
    const urls: Blob[] = []
    vi.spyOn(URL, 'createObjectURL').mockImplementation((data) => {
      urls.push(data as Blob)
      return 'blob:none'
    })
    await open()
    await sees('The gate is green')
    const asked: (string | null)[] = []
    server.use(
      http.get('*/requests/3/activity', ({ request: { headers } }) => {
        asked.push(headers.get('accept'), headers.get('accept-language'))
        return new HttpResponse('%PDF', { headers: { 'Content-Type': 'application/pdf' } })
      }),
    )
    await press(texts.download)
    await until(() => urls.length === 1, 'the file')
    expect(asked).toEqual(['application/pdf, application/problem+json', 'en'])
  })
})
