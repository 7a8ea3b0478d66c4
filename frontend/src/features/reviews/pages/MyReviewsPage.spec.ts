import { describe, expect, it } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import MyReviewsPage from './MyReviewsPage.vue'

const review = (more: object = {}) => ({
  rating: 4,
  comment: 'Neat work',
  created_at: '2026-11-01T10:00:00+05:30',
  reply: null,
  replied_at: null,
  reported: false,
  hidden: false,
  request_id: 3,
  professional_id: 7,
  task_id: 1,
  task_name: 'Tap repair',
  customer_firstname: 'Geetha',
  ...more,
})
const button = (text: string) =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === text)

describe('MyReviewsPage', () => {
  it('sends one reply and offers none where there is one', async () => {
    answer('get', '/me', [200, someone('professional', { rating: 4, reviews: 1 })])
    answer(
      'get',
      '/me/reviews',
      [200, { items: [review()], next_cursor: null }],
      [200, { items: [review({ reply: 'Thank you' })], next_cursor: null }],
    )
    const seen = answer('post', '/requests/3/review/reply', [200, review({ reply: 'Thank you' })])
    const { wrapper } = await show(MyReviewsPage, { user: someone('professional') })
    await until(() => Boolean(button('Reply')), 'the review')
    button('Reply')?.click()
    await until(() => Boolean(document.querySelector('textarea')), 'the field')
    const words = document.querySelector('textarea') as HTMLTextAreaElement
    words.value = 'Thank you'
    words.dispatchEvent(new Event('input'))
    document.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }))
    await until(() => wrapper.text().includes('Thank you') && !button('Reply'), 'the reply')
    expect(seen.map(({ body }) => body)).toEqual([{ reply: 'Thank you' }])
  })
})
