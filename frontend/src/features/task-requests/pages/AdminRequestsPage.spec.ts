import { expect, it } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import AdminRequestsPage from './AdminRequestsPage.vue'

const request = {
  id: 3,
  task_id: 9,
  task_name: 'Chimney sweeping',
  status: 'accepted',
  date_of_request: '2026-12-01T09:00:00+05:30',
  time_required: 60,
  price: '499.00',
  currency: 'INR',
  address: '12 MG Road',
  pincode: '560001',
  distance_km: null,
  allowed_actions: [],
  customer: { id: 4, firstname: 'Asha' },
  professional: { id: 5, firstname: 'Ravi' },
}

it('names the user and task of the filters, also for an inactive task', async () => {
  const asked = answer('get', '/requests', [200, { items: [request], next_cursor: null }])
  answer('get', '/tasks', [
    200,
    { items: [{ id: 1, name: 'Tap repair', category: 'Repairs' }], next_cursor: null },
  ])
  answer('get', '/customers/4', [200, { id: 4, firstname: 'Asha', lastname: 'Rao' }])
  const { wrapper } = await show(AdminRequestsPage, {
    user: someone('admin'),
    path: '/?task_id=9&customer_id=4',
  })
  await until(() => wrapper.text().includes('Asha → Ravi'), 'the list')
  await until(
    () => wrapper.findAll('input').some((one) => (one.element as HTMLInputElement).value === 'Asha Rao'),
    'the name',
  )
  await until(() => wrapper.findAll('button').some((one) => one.text() === 'Chimney sweeping'), 'the task')
  expect(Object.fromEntries(asked[0]?.url.searchParams ?? [])).toMatchObject({
    task_id: '9',
    customer_id: '4',
  })
})
