import { describe, expect, it } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import common from '@/locales/en/common.json'
import users from '@/locales/en/users.json'
import UsersPage from './UsersPage.vue'

const { filters } = common
const ravi = {
  ...someone('professional', { id: 9, firstname: 'Ravi', compname: 'Rao and Sons', approval: 'approved' }),
  blocked_at: null,
  cancelled_90_days: 0,
  released_90_days: 0,
}
const says = (words: string) => document.body.textContent.includes(words)
const button = (text: string) =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === text)

async function page(role: 'professional' | 'customer', path: string, items: object[] = [ravi]) {
  answer('get', '/tasks', [200, { items: [], next_cursor: null }])
  const seen = answer('get', `/${role}s`, [200, { items, next_cursor: null } as never])
  const { router } = await show(UsersPage, { props: { role }, user: someone('admin'), path })
  await until(() => seen.length > 0, 'the call')
  return { router, asked: () => Object.fromEntries(seen.at(-1)?.url.searchParams ?? []) }
}

describe('UsersPage', () => {
  it('loads by the filters in the URL', async () => {
    const { asked } = await page(
      'professional',
      '/admin/professionals?q=rao&blocked=1&approval=pending&task_id=4&pincode=560001&sort=rating',
    )
    expect(asked()).toEqual({
      q: 'rao',
      blocked: '1',
      approval: 'pending',
      task_id: '4',
      pincode: '560001',
      sort: 'rating',
    })
    await until(() => says('Rao and Sons'), 'the row')
  })

  it('ignores invalid filters', async () => {
    const { asked } = await page(
      'professional',
      '/admin/professionals?blocked=2&approval=perhaps&task_id=x&pincode=56&sort=age&min_rating=9',
    )
    expect(asked()).toEqual({})
  })

  it.each([
    ['poor', { max_rating: '2.5' }],
    ['middling', { min_rating: '2.5', max_rating: '4' }],
    ['good', { min_rating: '4' }],
  ])('asks for %s ratings by their span, whatever else the address says of them', async (rating, span) => {
    const { asked } = await page('professional', `/admin/professionals?rating=${rating}`)
    expect(asked()).toEqual(span)
  })

  it('does not send professional filters for customers', async () => {
    const { asked } = await page(
      'customer',
      '/admin/customers?q=asha&approval=pending&task_id=4&rating=poor&sort=name',
      [],
    )
    expect(asked()).toEqual({ q: 'asha', sort: 'name' })
    expect(says(users.approval)).toBe(false)
  })

  it('distinguishes an empty list from one without matches, and clears the filters', async () => {
    const { router } = await page('customer', '/admin/customers?blocked=1', [])
    await until(() => says(users.customers.noneFound), 'the word')
    button(filters.clear)?.click()
    await until(() => Object.keys(router.currentRoute.value.query).length === 0, 'the whole list')
    await until(() => says(users.customers.none) && !says(users.customers.noneFound), 'the other word')
  })
})
