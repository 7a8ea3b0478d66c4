import { describe, expect, it } from 'vitest'
import errors from '@/locales/en/errors.json'
import texts from '@/locales/en/profiles.json'
import { show, someone, until } from '@/shared/testing/mount'
import { alert, button, link, press, queryOf, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import ProfessionalPage from './ProfessionalPage.vue'

const profile = {
  id: 9,
  firstname: 'Ravi',
  compname: 'Rao and Sons',
  exp: 7,
  about: 'Pipes and taps.',
  photo_url: '/profiles/9/photo/ab12',
  tasks: [{ id: 3, name: 'Tap repair', base_price: '499.00' }],
  rating: 4.5,
  rating_counts: { '1': 0, '2': 1, '3': 0, '4': 0, '5': 3 },
  reviews: 4,
  tasks_done: 6,
  verified_until: '2027-03-12T10:00:00+05:30',
  member_since: '2025-06-01T10:00:00+05:30',
  response_time: 'within_4_hours',
  service_area: 'Bengaluru, Karnataka',
}
const review = (more: object = {}) => ({
  rating: 5,
  comment: 'Neat work',
  created_at: '2026-11-01T10:00:00+05:30',
  task_name: 'Tap repair',
  reply: 'Thank you',
  ...more,
})
const page = texts.page

async function open(
  more: object = {},
  user = undefined as ReturnType<typeof someone> | undefined,
  path = '/professionals/9',
) {
  answer('get', '/profiles/9', [200, { ...profile, ...more }])
  const { wrapper } = await show(ProfessionalPage, { path, route: '/professionals/:id', user })
  await sees(profile.compname)
  return wrapper
}
const noReviews = () => answer('get', '/profiles/9/reviews', [200, { items: [], next_cursor: null }])
const request = () => link(page.requestTask.replace('{task}', 'Tap repair').replace('{name}', 'Ravi'))

describe('ProfessionalPage', () => {
  it('shows who it is, what was checked, and what others say', async () => {
    answer('get', '/profiles/9/reviews', [200, { items: [review()], next_cursor: null }])
    await open()
    await sees('Neat work')
    const missing = [
      'Verified until 12 Mar 2027',
      '7 years of experience',
      '6 tasks completed',
      'Usually responds within 4 hours',
      'Serves Bengaluru, Karnataka',
      'Member since June 2025',
      'Pipes and taps.',
      'Reply from Ravi',
      'Thank you',
      '4 reviews',
    ].filter((words) => !says(words))
    expect(missing).toEqual([])
    expect(document.title).toBe('Ravi · Rao and Sons · Doorstep')
    expect(document.querySelector('img')?.getAttribute('src')).toBe('/profiles/9/photo/ab12')
    const bars = [...document.querySelectorAll('[aria-labelledby="rating"] .sr-only')]
    expect(bars.map((one) => one.textContent)).toEqual([
      '5 stars: 3',
      '4 stars: 0',
      '3 stars: 0',
      '2 stars: 1',
      '1 star: 0',
    ])
    // Each bar is a share of all reviews.
    const shares = [...document.querySelectorAll('[aria-labelledby="rating"] rect:last-child')]
    expect(shares.map((one) => one.getAttribute('width'))).toEqual(['75', '0', '0', '25', '0'])
  })

  it('leads from each task into a request to this professional, at the place of the link', async () => {
    noReviews()
    await open({}, someone('customer'), '/professionals/9?pincode=560001')
    expect(request()?.getAttribute('href')).toBe('/tasks/3/ask?pincode=560001&professional=9')
    expect(link('Tap repair')?.getAttribute('href')).toBe('/tasks/3?pincode=560001')
  })

  it('lets visitors begin a request, professionals and admins not', async () => {
    noReviews()
    const asVisitor = await open()
    expect(request()).toBeDefined()
    asVisitor.unmount()
    await open({}, someone('admin'))
    expect(request()).toBeUndefined()
    expect(link(page.inAdmin)?.getAttribute('href')).toBe('/admin/professionals/9')
  })

  it('leads its owner to the page that changes it', async () => {
    noReviews()
    await open({}, someone('professional', { id: 9 }))
    expect(says(page.preview)).toBe(true)
    expect(link(page.edit)?.getAttribute('href')).toBe('/my-profile')
    expect(request()).toBeUndefined()
  })

  it('shows more reviews on demand, and asks again for what did not come', async () => {
    const asked = answer(
      'get',
      '/profiles/9/reviews',
      [200, { items: [review()], next_cursor: 'more' }],
      [500],
      [
        200,
        { items: [review({ comment: 'Late', created_at: '2026-10-01T10:00:00+05:30' })], next_cursor: null },
      ],
    )
    await open()
    await press('Show more')
    await until(() => Boolean(alert()), 'what went wrong')
    expect(says('Neat work')).toBe(true)
    await press('Try again')
    await sees('Late')
    expect(button('Show more')).toBeUndefined()
    expect(queryOf(asked.at(-1)).cursor).toBe('more')
  })

  it('says what is missing where there is nothing yet', async () => {
    noReviews()
    await open({
      about: '',
      photo_url: null,
      rating: null,
      reviews: 0,
      rating_counts: { '1': 0, '2': 0, '3': 0, '4': 0, '5': 0 },
      tasks: [],
      tasks_done: 0,
      exp: 0,
      verified_until: null,
      response_time: null,
      service_area: '',
    })
    await sees(page.noReviewsHint)
    expect(says('Ravi offers no tasks at the moment.')).toBe(true)
    expect(says('No tasks completed yet')).toBe(true)
    expect(document.querySelector('#about')).toBeNull()
    expect(document.querySelector('[role="img"]')?.textContent).toBe('R')
  })

  it('says so where nobody can see this professional', async () => {
    answer('get', '/profiles/9', [
      404,
      { type: 'about:blank', status: 404, code: 'not_found', title: 'x', detail: 'x' },
    ])
    noReviews()
    await show(ProfessionalPage, { path: '/professionals/9', route: '/professionals/:id' })
    await until(() => alert() !== undefined, 'what is missing')
    expect(alert()).toContain(errors.status_404)
  })
})
