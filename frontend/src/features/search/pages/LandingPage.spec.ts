import { describe, expect, it } from 'vitest'
import requests from '@/locales/en/requests.json'
import search from '@/locales/en/search.json'
import { show, someone, until } from '@/shared/testing/mount'
import { fill, link, queryOf, says, sees, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import LandingPage from './LandingPage.vue'

const texts = search.landing
const request = (id: number, task_name: string, day: number) => ({
  id,
  task_id: 9,
  task_name,
  status: 'requested',
  date_of_request: `2026-12-0${day}T09:00:00+05:30`,
  time_required: 60,
  price: '499.00',
  currency: 'INR',
  address: '12 MG Road',
  pincode: '560001',
  distance_km: null,
  allowed_actions: [],
  customer: null,
  professional: null,
})

function page(user = someone('customer'), status = 200, items: object[] = []) {
  answer('get', '/places', [200, { items: [] }])
  answer('get', '/search', [status, { items, next_cursor: null, categories: [], near: [] } as never])
  return show(LandingPage, { user })
}

describe('LandingPage', () => {
  it('searches for what and where, and remembers the place', async () => {
    answer('get', '/requests', [200, { items: [], next_cursor: null }])
    const { router, wrapper } = await page()
    await until(() => document.querySelector('[role="combobox"]') !== null, 'the search box')
    fill(search.box.what, ' tap ')
    fill(search.box.where, '560001')
    await submit()
    await until(() => router.currentRoute.value.path === '/search', 'the results')
    expect(router.currentRoute.value.query).toEqual({ q: 'tap', pincode: '560001' })
    wrapper.unmount()
    await page()
    const place = () => document.querySelectorAll<HTMLInputElement>('[role="combobox"]')[1]?.value
    await until(() => place() === '560001', 'the place')
  })

  it('shows customers their open requests, the next one first', async () => {
    const asked = answer('get', '/requests', [
      200,
      { items: [request(2, 'Wiring', 5), request(1, 'Tap repair', 3)], next_cursor: null },
    ])
    await page()
    await sees(requests.mine.open)
    await sees('Tap repair')
    expect(asked[0]?.url.searchParams.getAll('status')).toEqual(['requested', 'accepted', 'completed'])
    expect([...document.querySelectorAll('article h3')].map((one) => one.textContent.trim())).toEqual([
      'Tap repair',
      'Wiring',
    ])
    expect(says(texts.how)).toBe(false)
    expect(says(texts.hello.replace('{name}', 'Asha'))).toBe(true)
  })

  it('shows visitors how it works, and nothing of requests', async () => {
    answer('get', '/places', [200, { items: [] }])
    const asked = answer('get', '/search', [200, { items: [], next_cursor: null, categories: [], near: [] }])
    await show(LandingPage, {})
    await sees(texts.nothing)
    expect(queryOf(asked[0])).toEqual({ limit: '6' })
    expect(says(texts.how)).toBe(true)
    expect(link(texts.all)?.getAttribute('href')).toBe('/search')
  })

  it('says that tasks could not be read, and still lets one search', async () => {
    await page(someone('admin'), 500)
    await sees(texts.unread)
    expect(document.querySelector('form[role="search"]')).not.toBeNull()
  })
})
