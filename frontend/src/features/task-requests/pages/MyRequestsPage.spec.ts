import { describe, expect, it } from 'vitest'
import requests from '@/locales/en/requests.json'
import status from '@/locales/en/status.json'
import { show, someone, until } from '@/shared/testing/mount'
import { button, link, press, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import MyRequestsPage from './MyRequestsPage.vue'

const request = {
  id: 3,
  task_id: 9,
  task_name: 'Chimney sweeping',
  status: 'requested',
  date_of_request: '2026-12-01T09:00:00+05:30',
  time_required: 60,
  price: '499.00',
  currency: 'INR',
  address: '12 MG Road',
  pincode: '560001',
  distance_km: null,
  allowed_actions: [],
  customer: { id: 4, firstname: 'Asha' },
  professional: null,
}

async function page(path: string, items: object[] = [request]) {
  const asked = answer('get', '/requests', [200, { items, next_cursor: null } as never])
  const { router } = await show(MyRequestsPage, { user: someone('customer'), path })
  await until(() => asked.length > 0, 'the call')
  return { asked, router, states: () => asked.at(-1)?.url.searchParams.getAll('status') }
}

describe('MyRequestsPage', () => {
  it('asks for all states, and for one that is chosen by its tab', async () => {
    const { router, states } = await page('/requests')
    await sees('Chimney sweeping')
    expect(states()).toEqual([])
    await press(status.completed)
    await until(() => states()?.join() === 'completed', 'the call')
    expect(router.currentRoute.value.query).toEqual({ status: 'completed' })
    expect(button(status.completed)?.getAttribute('aria-pressed')).toBe('true')
    await press(requests.all)
    await until(() => Object.keys(router.currentRoute.value.query).length === 0, 'all of them')
  })

  it('takes a state from the address that exists, and no other', async () => {
    expect((await page('/requests?status=accepted')).states()).toEqual(['accepted'])
    expect((await page('/requests?status=perhaps')).states()).toEqual([])
  })

  it('leads to the search where nothing was asked for yet', async () => {
    await page('/requests', [])
    await sees(requests.mine.none)
    expect(link(requests.mine.first)?.getAttribute('href')).toBe('/search')
  })

  it('says that one state is empty without calling it the beginning', async () => {
    await page('/requests?status=closed', [])
    await sees(requests.noneInState)
    expect(link(requests.mine.first)).toBeUndefined()
  })
})
