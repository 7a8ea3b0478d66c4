import { describe, expect, it } from 'vitest'
import errors from '@/locales/en/errors.json'
import reviews from '@/locales/en/reviews.json'
import { show, someone, until } from '@/shared/testing/mount'
import { button, confirm, press, queryOf, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import ReviewsPage from './ReviewsPage.vue'

const review = {
  request_id: 12,
  rating: 1,
  comment: 'Never came',
  reply: 'We did',
  created_at: '2026-11-01T10:00:00+05:30',
  replied_at: null,
  reported: true,
  hidden: false,
  professional_id: 9,
  task_id: 3,
  task_name: 'Tap repair',
  customer_firstname: 'Asha',
  customer_id: 4,
  report_reason: 'It was another company',
  hidden_reason: null,
}

async function page(items: object[] = [review], path = '/admin/reviews') {
  const asked = answer('get', '/reviews', [200, { items, next_cursor: null } as never])
  answer('get', '/professionals/9', [200, { id: 9, firstname: 'Ravi', lastname: 'Rao' }])
  await show(ReviewsPage, { user: someone('admin'), path })
  await until(() => asked.length > 0, 'the call')
  return asked
}

describe('ReviewsPage', () => {
  it.each([
    ['/admin/reviews', { reported: '1', hidden: '0' }],
    ['/admin/reviews?view=hidden', { hidden: '1' }],
    ['/admin/reviews?view=all&professional_id=9&customer_id=4', { professional_id: '9', customer_id: '4' }],
    ['/admin/reviews?view=perhaps&professional_id=x', { reported: '1', hidden: '0' }],
  ])('asks for what %s means', async (path, query) => {
    expect(queryOf((await page([review], path))[0])).toEqual(query)
  })

  it('shows another view by its tab', async () => {
    const asked = await page([])
    await sees(reviews.none.reported)
    await press(reviews.views.hidden)
    await sees(reviews.none.hidden)
    await until(() => asked.length > 1, 'the call')
    expect(queryOf(asked.at(-1))).toEqual({ hidden: '1' })
  })

  it('hides a review for a reason of enough words only', async () => {
    const hidden = answer('post', '/reviews/12/hide', [200, {}])
    await page()
    await sees(review.report_reason)
    await press(reviews.hide)
    await until(() => document.querySelector('[role="dialog"] textarea') !== null, 'the question')
    await confirm(reviews.hide)
    await sees('Enter between 3 and 500 characters.')
    expect(hidden).toEqual([])
    const reason = document.querySelector<HTMLTextAreaElement>('[role="dialog"] textarea')
    if (!reason) throw new Error('no field')
    reason.value = 'Not about this work'
    reason.dispatchEvent(new Event('input'))
    await confirm(reviews.hide)
    await sees(reviews.isHidden)
    expect(hidden.map(({ body }) => body)).toEqual([{ reason: 'Not about this work' }])
  })

  it('keeps a reported review without a question', async () => {
    const shown = answer('post', '/reviews/12/show', [200, {}])
    await page()
    await press(reviews.letStand)
    await sees(reviews.stands)
    expect(shown).toHaveLength(1)
  })

  it('restores a hidden one, and says when another admin was first', async () => {
    answer('post', '/reviews/12/show', [409, { code: 'not_hidden' }])
    await page([{ ...review, reported: false, hidden: true, hidden_reason: 'Rude' }])
    await press(reviews.show)
    await sees(errors.not_hidden)
    expect(button(reviews.hide)).toBeUndefined()
    expect(says('Rude')).toBe(true)
  })
})
