import { http, HttpResponse } from 'msw'
import { describe, expect, it } from 'vitest'
import texts from '@/locales/en/favourites.json'
import type { Role, TaskRequest } from '@/shared/api/types'
import { show, someone, until } from '@/shared/testing/mount'
import { button, confirm, link, press, says, sees } from '@/shared/testing/screen'
import { answer, server } from '@/shared/testing/server'
import KeepButton from './components/KeepButton.vue'
import NextTime from './components/NextTime.vue'
import ExclusionsPage from './pages/ExclusionsPage.vue'
import FavouritesPage from './pages/FavouritesPage.vue'

const ravi = { id: 9, firstname: 'Ravi', compname: 'Rao and Sons', phone: null }
const favourite = (more: object = {}) => ({
  ...ravi,
  exp: 5,
  rating: 4.5,
  reviews: 2,
  photo_url: null,
  available: 1,
  created_at: '2026-11-01T10:00:00+05:30',
  ...more,
})
const exclusion = (more: object = {}) => ({
  ...ravi,
  request: { id: 3, task_name: 'Tap repair', date_of_request: '2026-11-01T10:00:00+05:30' },
  created_at: '2026-11-02T10:00:00+05:30',
  ...more,
})
const page = (...items: object[]): [number, object] => [200, { items, next_cursor: null }]
const request = (more: object = {}) =>
  ({
    id: 3,
    task_name: 'Tap repair',
    status: 'closed',
    customer_id: 4,
    professional_id: 9,
    customer: null,
    professional: ravi,
    ...more,
  }) as unknown as TaskRequest

function nextTime(role: Role, more: object = {}, user: object = {}) {
  return show(NextTime, { user: someone(role, user), props: { request: request(more) } })
}
const found = (more: object = {}) => ({
  task_id: 5,
  task_name: 'Tap repair',
  available: 1,
  address: '7 Church Street',
  pincode: '560001',
  remarks: '',
  professional: null,
  ...more,
})

describe('NextTime', () => {
  it('asks again with the earlier request', async () => {
    answer('get', '/me/exclusions', page())
    answer('get', '/me/favourites', page())
    answer('get', '/requests/3/again', [200, found()])
    const { router } = await nextTime('customer')
    await press(texts.after.again)
    await until(() => router.currentRoute.value.fullPath === '/tasks/5/ask?again=3', 'the form')
  })

  it('says that the task is not offered', async () => {
    answer('get', '/me/exclusions', page())
    answer('get', '/me/favourites', page())
    answer('get', '/requests/3/again', [200, found({ available: 0 })])
    await nextTime('customer')
    await press(texts.after.again)
    await sees('“Tap repair” is not available at the moment.')
    expect(link(texts.after.search)).toBeDefined()
  })

  it('offers an open request neither again nor for an exclusion', async () => {
    answer('get', '/me/exclusions', page())
    await nextTime('customer', { status: 'requested', professional: null, professional_id: null })
    await nextTime('professional', { status: 'requested', professional: null, professional_id: null })
    expect(says(texts.after.title)).toBe(false)
  })

  it.each([
    ['customer', 9, 'Ravi', {}],
    ['professional', 4, 'this customer', { professional_id: 7 }],
  ] as const)(
    'excludes the other side for a %s once it is confirmed, and undoes it',
    async (role, id, name, more) => {
      let excluded = false
      answer('get', '/me/favourites', page())
      const set = (value: boolean) => () => {
        excluded = value
        return new HttpResponse(null, { status: 204 })
      }
      server.use(
        http.get('*/me/exclusions', () =>
          HttpResponse.json(page(...(excluded ? [exclusion({ id })] : []))[1]),
        ),
        http.put(`*/me/exclusions/${id}`, set(true)),
        http.delete(`*/me/exclusions/${id}`, set(false)),
      )
      await nextTime(role, more)
      await press(texts.never.action)
      await sees(texts.never.ask.replace('{name}', name))
      expect(excluded).toBe(false)
      await confirm(texts.never.action)
      await until(() => excluded, 'the call')
      await press(texts.never.undo)
      await until(() => !excluded, 'the way back')
      await until(() => button(texts.never.action) !== undefined, 'the first button')
    },
  )
})

describe('KeepButton', () => {
  it('keeps a professional and removes them', async () => {
    answer('get', '/me/favourites', page(), page(favourite()), page())
    const put = answer('put', '/me/favourites/9', [204])
    const removed = answer('delete', '/me/favourites/9', [204])
    await show(KeepButton, { user: someone('customer'), props: { id: 9, name: 'Ravi' } })
    await press('Add to favourites: Ravi')
    await press('Remove from favourites: Ravi')
    await until(() => button('Add to favourites: Ravi') !== undefined, 'the first state')
    expect([put.length, removed.length]).toEqual([1, 1])
  })
})

describe('the lists', () => {
  it('shows favourites, and which of them are not available', async () => {
    answer('get', '/me/favourites', page(favourite(), favourite({ id: 8, firstname: 'Sita', available: 0 })))
    await show(FavouritesPage, { user: someone('customer') })
    await sees('Sita')
    expect(link('Ravi')?.getAttribute('href')).toBe('/professionals/9')
    expect(link('Sita')).toBeUndefined()
    expect(says(texts.unavailable)).toBe(true)
  })

  it('names professionals, and of customers the request alone', async () => {
    answer('get', '/me/exclusions', page(exclusion(), exclusion({ id: 8, firstname: null, compname: null })))
    const removed = answer('delete', '/me/exclusions/9', [204])
    await show(ExclusionsPage, { user: someone('customer') })
    await sees('Ravi · Rao and Sons')
    await sees('Customer of “Tap repair”')
    await press(texts.never.undo)
    await until(() => removed.length === 1, 'the call')
  })
})
