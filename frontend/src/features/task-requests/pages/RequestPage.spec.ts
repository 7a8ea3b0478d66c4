import { beforeEach, describe, expect, it } from 'vitest'
import requests from '@/locales/en/requests.json'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import RequestPage from './RequestPage.vue'

const request = (more: object = {}) => ({
  id: 3,
  task_id: 1,
  task_name: 'Tap repair',
  customer_id: 7,
  professional_id: 9,
  asked_professional_id: null,
  status: 'accepted',
  date_of_request: '2026-12-01T10:00:00+05:30',
  price: '499.00',
  total: '499.00',
  pricing: 'fixed',
  currency: 'INR',
  time_required: 60,
  address: '12 Road',
  pincode: '560025',
  remarks: '',
  closing_remarks: '',
  created_at: '2026-11-20T10:00:00+05:30',
  accepted_at: null,
  completed_at: null,
  closed_at: null,
  allowed_actions: ['edit', 'complete', 'close', 'cancel'],
  visit_actions: [],
  price_actions: [],
  review: null,
  history: [
    {
      at: '2026-11-20T10:00:00+05:30',
      action: 'create',
      actor_id: 7,
      actor_role: 'customer',
      from: null,
      to: 'requested',
      note: null,
    },
  ],
  customer: null,
  professional: { id: 9, firstname: 'Imran', compname: 'Khan Works', phone: '+919812345678' },
  ...more,
})
const button = (text: string) =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === text)

describe('RequestPage', () => {
  beforeEach(() => {
    answer('get', '/requests/:id/conversations', [200, { items: [] }])
    answer('get', '/requests/:id/checklist', [200, { items: [] }])
    answer('get', '/requests/:id/photos', [200, { items: [], phases: [], most: 12 }])
  })

  it('offers exactly the allowed actions and shows the professional', async () => {
    answer('get', '/requests/:id', [200, request()])
    const { wrapper } = await show(RequestPage, { user: someone('customer'), path: '/requests/3' })
    await until(() => wrapper.text().includes('Tap repair'), 'the request')
    expect(
      ['Edit request', 'Mark as completed', 'Close', 'Cancel request', 'Accept', 'Release'].filter((text) =>
        button(text),
      ),
    ).toEqual(['Edit request', 'Mark as completed', 'Close', 'Cancel request'])
    expect(wrapper.text()).toContain('Khan Works')
    expect(wrapper.find('a[href="tel:+919812345678"]').exists()).toBe(true)
  })

  it('separates the price from the duration', async () => {
    answer('get', '/requests/:id', [200, request()])
    const { wrapper } = await show(RequestPage, { user: someone('customer'), path: '/requests/3' })
    await until(() => wrapper.text().includes('Tap repair'), 'the request')
    expect(wrapper.text()).toContain('₹499 · 1 hr')
  })

  it.each([
    ['requested', requests.page.addressLater],
    ['completed', requests.page.addressGone],
  ])('says of a %s request why its address is not shown', async (status, words) => {
    const shown = { status, address: null, professional: null, allowed_actions: [] }
    answer('get', '/requests/:id', [200, request(shown)])
    const { wrapper } = await show(RequestPage, { user: someone('professional'), path: '/requests/3' })
    await until(() => wrapper.text().includes('Tap repair'), 'the request')
    const { addressLater, addressGone } = requests.page
    expect([addressLater, addressGone].filter((one) => wrapper.text().includes(one))).toEqual([words])
  })

  it('asks for a reason before it cancels, and sends it', async () => {
    answer('get', '/requests/:id', [200, request()])
    const seen = answer('post', '/requests/:id/cancel', [
      200,
      request({ status: 'cancelled', allowed_actions: [] }),
    ])
    await show(RequestPage, { user: someone('customer'), path: '/requests/3' })
    await until(() => Boolean(button('Cancel request')), 'the button')
    button('Cancel request')?.click()
    await until(() => Boolean(document.querySelector('[role="dialog"] textarea')), 'the question')
    const dialog = document.querySelector('[role="dialog"]')
    const go = () =>
      [...(dialog?.querySelectorAll('button') ?? [])]
        .find((one) => one.textContent?.trim() === 'Cancel request')
        ?.click()
    go()
    await until(
      () => Boolean(dialog?.textContent?.includes('Enter between 3 and 500 characters.')),
      'the refusal',
    )
    expect(seen).toHaveLength(0)
    const words = dialog?.querySelector('textarea') as HTMLTextAreaElement
    words.value = 'Plans have changed'
    words.dispatchEvent(new Event('input'))
    go()
    await until(() => seen.length === 1, 'the call')
    expect(seen[0]?.body).toEqual({ reason: 'Plans have changed' })
  })

  it('opens the question that a reminder leads to, once', async () => {
    answer('get', '/requests/:id', [200, request()])
    const path = '/requests/3?action=cancel'
    const { router } = await show(RequestPage, { user: someone('customer'), path })
    await until(() => Boolean(document.querySelector('[role="dialog"] textarea')), 'the question')
    expect(router.currentRoute.value.fullPath).toBe('/requests/3')
  })

  it('shows that the request does not exist', async () => {
    answer('get', '/requests/:id', [404, { code: 'not_found' }])
    const { wrapper } = await show(RequestPage, { user: someone('customer'), path: '/requests/3' })
    await until(
      () => wrapper.text().includes('This does not exist, or you do not have access to it.'),
      'the word',
    )
  })
})
