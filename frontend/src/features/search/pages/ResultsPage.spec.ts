import { describe, expect, it } from 'vitest'
import errors from '@/locales/en/errors.json'
import search from '@/locales/en/search.json'
import { show, until } from '@/shared/testing/mount'
import { button, fill, link, press, queryOf, sees, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import ResultsPage from './ResultsPage.vue'

const hit = {
  id: 3,
  name: 'Tap repair',
  description: 'Dripping taps',
  category: 'Plumbing',
  base_price: '499.00',
  currency: 'INR',
  time_required: 60,
  isactive: 1,
  rating: null,
  reviews: 0,
  professionals: 2,
  picture: null,
  nearest_km: 0.4,
}
const found = (more: object = {}) => ({
  items: [hit],
  next_cursor: null,
  categories: [
    { category: 'Plumbing', tasks: 1 },
    { category: 'Electrical', tasks: 4 },
  ],
  near: [],
  ...more,
})

async function page(path: string, ...answers: [number, object?][]) {
  answer('get', '/places', [200, { items: [] }])
  const asked = answer('get', '/search', ...(answers as [number, never][]))
  const { router } = await show(ResultsPage, { path })
  await until(() => asked.length > 0, 'the call')
  return { asked, router }
}
const nothing = (more: object = {}) => found({ items: [], categories: [], ...more })

describe('ResultsPage', () => {
  it('asks by everything that the address names', async () => {
    const { asked } = await page(
      '/search?q=tap&pincode=560001&category=Plumbing&max_price=600&min_rating=4&radius_km=25&sort=distance',
      [200, found()],
    )
    expect(queryOf(asked[0])).toEqual({
      q: 'tap',
      pincode: '560001',
      category: 'Plumbing',
      max_price: '600',
      min_rating: '4',
      radius_km: '25',
      sort: 'distance',
      limit: '20',
    })
    await sees(search.results.forNear.replace('{q}', 'tap').replace('{place}', '560001'))
    expect(link('Tap repair')?.getAttribute('href')).toBe('/tasks/3?pincode=560001')
  })

  it('narrows by a category and keeps the rest of what was asked', async () => {
    const { asked, router } = await page('/search?q=tap&sort=price', [200, found()])
    await press('Electrical4')
    await until(() => queryOf(asked.at(-1)).category === 'Electrical', 'the call')
    expect(router.currentRoute.value.query).toEqual({ q: 'tap', sort: 'price', category: 'Electrical' })
    await press(search.filters.everything)
    await until(() => router.currentRoute.value.query.category === undefined, 'all of them')
  })

  it('takes a price with its sign and comma, and says what is none without asking for it', async () => {
    const { asked, router } = await page('/search?q=tap', [200, found()])
    const label = search.filters.maxPrice.replace('{currency}', 'INR')
    await press('Sort and filter')
    await until(() => document.querySelector('#narrow input') !== null, 'the fields')
    fill(label, '₹ 1,499')
    await until(() => queryOf(asked.at(-1)).max_price === '1499', 'the call')
    fill(label, 'cheap')
    await sees(search.filters.priceWrong)
    expect(router.currentRoute.value.query.max_price).toBe('1499')
  })

  it('shows what there is nearby where a place has nothing, and leads to a search everywhere', async () => {
    await page('/search?q=tap&location=Hosur&sort=distance', [
      200,
      nothing({
        near: [
          {
            pincode: '560100',
            district: 'Bengaluru',
            state: 'Karnataka',
            task_id: 3,
            task_name: 'Tap repair',
          },
          { pincode: null, district: 'Bengaluru', state: 'Karnataka' },
        ],
      }),
    ])
    await sees(search.results.nothing)
    expect(link('Tap repair · Bengaluru 560100')?.getAttribute('href')).toBe(
      '/search?q=tap&sort=distance&pincode=560100',
    )
    expect(link(search.results.anywhere)?.getAttribute('href')).toBe('/search?q=tap')
  })

  it('gives a hint and no other place where none was asked for', async () => {
    await page('/search?q=zzz', [200, nothing()])
    await sees(search.results.nothingHint)
    expect(link(search.results.anywhere)).toBeUndefined()
  })

  it('searches again from the box, and keeps the filters that still make sense', async () => {
    const { router } = await page('/search?q=tap&pincode=560001&radius_km=25&max_price=600', [200, found()])
    fill(search.box.what, 'wiring')
    fill(search.box.where, '')
    await submit()
    await until(() => router.currentRoute.value.query.q === 'wiring', 'the search')
    expect(router.currentRoute.value.query).toEqual({ q: 'wiring', max_price: '600' })
  })

  it('can be asked again when it failed', async () => {
    await page('/search?q=tap', [500], [200, found()])
    await sees(errors.status_500)
    expect(button('Show more')).toBeUndefined()
    await press('Try again')
    await until(() => link('Tap repair') !== undefined, 'the task')
  })
})
