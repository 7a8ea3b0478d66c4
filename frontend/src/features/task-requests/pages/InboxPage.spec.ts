import { http, HttpResponse } from 'msw'
import { expect, it } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer, server } from '@/shared/testing/server'
import InboxPage from './InboxPage.vue'

const request = (id: number) => ({
  id,
  task_id: 1,
  task_name: `Task ${id}`,
  status: 'requested',
  date_of_request: '2099-01-01T10:00:00+05:30',
  updated_at: '2026-11-01T10:00:00Z',
  allowed_actions: ['accept'],
  warnings: [],
  agreed_price: '499.00',
  currency: 'INR',
  pincode: '560025',
  time_required: 60,
  customer: null,
  professional: null,
  professional_id: null,
  asked_professional_id: null,
})

it('accepts several at once, each of them only once', async () => {
  answer('get', '/requests', [200, { items: [request(1), request(2)], next_cursor: null }])
  answer('get', '/me/inbox', [200, { waiting: 2, matching: 2, new: 0, seen_at: null }])
  answer('post', '/me/inbox', [200, { waiting: 2, matching: 2, new: 0, seen_at: null }])
  const taken: number[] = []
  let answers: (() => void)[] = []
  server.use(
    http.post('*/requests/:id/accept', async ({ params }) => {
      taken.push(Number(params.id))
      await new Promise<void>((go) => answers.push(go))
      return HttpResponse.json({})
    }),
  )
  await show(InboxPage, { user: someone('professional'), path: '/inbox' })
  const accept = () =>
    [...document.querySelectorAll<HTMLButtonElement>('article button')].filter((one) =>
      one.textContent?.includes('Accept'),
    )
  await until(() => accept().length === 2, 'both rows')
  accept()[0]?.click()
  await until(() => taken.length === 1, 'the first')
  accept()[1]?.click()
  await until(() => taken.length === 2, 'the second')
  for (const button of accept()) button.click()
  expect(taken).toEqual([1, 2])
  for (const go of answers) go()
  answers = []
})
