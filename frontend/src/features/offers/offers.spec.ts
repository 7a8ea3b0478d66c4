import { describe, expect, it } from 'vitest'
import common from '@/locales/en/common.json'
import offers from '@/locales/en/offers.json'
import type { TaskRequestDetail } from '@/shared/api/types'
import { show, someone, until } from '@/shared/testing/mount'
import { button, press, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import OffersPanel from './components/OffersPanel.vue'
import { hasOffers } from './offers'

const request = (more: object = {}): TaskRequestDetail =>
  ({
    id: 3,
    status: 'requested',
    pricing: 'quote',
    currency: 'INR',
    date_of_request: '2026-12-01T10:00:00+05:30',
    price_actions: [],
    ...more,
  }) as unknown as TaskRequestDetail
const offer = (id: number, amount: string, more: object = {}) => ({
  id,
  amount,
  currency: 'INR',
  note: null,
  valid_until: '2026-11-30T10:00:00+05:30',
  state: 'live',
  made_at: '2026-11-28T10:00:00+05:30',
  professional: {
    id: 9,
    firstname: 'Ravi',
    compname: 'Rao and Sons',
    exp: 5,
    rating: 4.5,
    reviews: 3,
    tasks_done: 7,
    distance_km: 2.4,
    photo_url: null,
  },
  ...more,
})

describe('OffersPanel', () => {
  it('asks before it accepts, and accepts the offer that was chosen', async () => {
    answer('get', '/requests/:id/offers', [
      200,
      {
        items: [offer(5, '900.00'), offer(6, '950.00', { state: 'expired' })],
        next_cursor: null,
        longest_days: 30,
      },
    ])
    const sent = answer('post', '/requests/3/offers/5/accept', [200, {}])
    await show(OffersPanel, {
      user: someone('customer'),
      props: { request: request({ price_actions: ['accept_offer'] }) },
    })
    await sees('₹900')
    expect(says('₹950')).toBe(false)
    await press(offers.accept.named.replace('{name}', 'Ravi'))
    await until(() => button(offers.accept.label) !== undefined, 'the question')
    expect(sent).toHaveLength(0)
    await press(offers.accept.label)
    await until(() => sent.length === 1, 'the call')
  })

  it('lets professionals make one, and says that they have none', async () => {
    answer('get', '/requests/:id/offers', [200, { items: [], next_cursor: null, longest_days: 3 }])
    await show(OffersPanel, {
      user: someone('professional'),
      props: { request: request({ price_actions: ['make_offer', 'withdraw_offer'] }) },
    })
    await sees(offers.noneMine)
    await press(offers.make.open)
    await sees('At most 3 days, and not after the date of the request.')
    expect(button(offers.make.action)).toBeDefined()
  })
})

it('offers are shown while a request by quote waits', () => {
  expect(hasOffers(request())).toBe(true)
  expect(hasOffers(request({ status: 'accepted' }))).toBe(false)
  expect(hasOffers(request({ pricing: 'fixed' }))).toBe(false)
  expect(common.byQuote).toContain('{price}')
})
