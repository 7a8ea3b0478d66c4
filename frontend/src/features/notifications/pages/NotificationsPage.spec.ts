import { describe, expect, it } from 'vitest'
import errors from '@/locales/en/errors.json'
import notifications from '@/locales/en/notifications.json'
import visits from '@/locales/en/visits.json'
import { show, someone, until } from '@/shared/testing/mount'
import { button, press, queryOf, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import NotificationsPage from './NotificationsPage.vue'

const accepted = {
  id: 5,
  kind: 'request_accepted',
  title: 'Ravi accepted your request',
  body: 'Tap repair, 1 December',
  request_id: 12,
  read: false,
  created_at: '2026-11-20T10:00:00+05:30',
  choices: [] as string[],
}
const welcome = { ...accepted, id: 4, kind: 'welcome', title: 'Welcome', request_id: null, read: true }

async function page(items: object[] = [accepted, welcome], unread_count = 1) {
  const asked = answer('get', '/notifications', [200, { items, next_cursor: null, unread_count } as never])
  const { router } = await show(NotificationsPage, { user: someone('customer'), path: '/notifications' })
  await until(() => asked.length > 0, 'the call')
  return { asked, router }
}
const row = (title: string) =>
  [...document.querySelectorAll<HTMLButtonElement>('li button')].find((one) =>
    one.textContent.includes(title),
  )

describe('NotificationsPage', () => {
  it('marks one as read when it is opened, and goes to what it is about', async () => {
    const marked = answer('post', '/notifications/read', [200, { unread_count: 0 }])
    const { router } = await page()
    await sees(accepted.title)
    row(accepted.title)?.click()
    await until(() => router.currentRoute.value.path === '/requests/12', 'the request')
    expect(marked.map(({ body }) => body)).toEqual([{ ids: [5] }])
  })

  it('goes on to the request though it could not be marked', async () => {
    answer('post', '/notifications/read', [503, { code: 'unavailable' }])
    const { router } = await page()
    await sees(accepted.title)
    row(accepted.title)?.click()
    await until(() => router.currentRoute.value.path === '/requests/12', 'the request')
    await sees(errors.unavailable)
  })

  it('confirms a visit at once, and opens what needs an answer on its page', async () => {
    const confirmed = answer(
      'post',
      '/requests/:id/on_time',
      [409, { code: 'invalid_transition' }],
      [200, {}],
    )
    const marked = answer('post', '/notifications/read', [200, { unread_count: 0 }])
    const reminder = { ...accepted, kind: 'request_due_soon', choices: ['on_time', 'running_late', 'later'] }
    const { router } = await page([reminder])
    await press(notifications.choices.on_time)
    await sees(errors.invalid_transition)
    expect(marked).toEqual([])
    await press(notifications.choices.on_time)
    await sees(visits.onTime.done)
    expect(confirmed).toHaveLength(2)
    expect(router.currentRoute.value.path).toBe('/notifications')
    await press(notifications.choices.running_late)
    await until(() => router.currentRoute.value.path === '/requests/12', 'the request')
    expect(router.currentRoute.value.query).toEqual({ action: 'running_late' })
    expect(button(notifications.choices.release)).toBeUndefined()
  })

  it('offers no choices once a reminder has been read', async () => {
    await page([{ ...accepted, read: true, choices: ['on_time'] }], 0)
    await sees(accepted.title)
    expect(button(notifications.choices.on_time)).toBeUndefined()
  })

  it('stays where one is about no page, and marks nothing twice', async () => {
    const marked = answer('post', '/notifications/read', [200, { unread_count: 0 }])
    const { router } = await page([welcome], 0)
    await sees(welcome.title)
    row(welcome.title)?.click()
    expect(button(notifications.readAll)?.disabled).toBe(true)
    expect(router.currentRoute.value.path).toBe('/notifications')
    expect(marked).toEqual([])
  })

  it('marks all as read, and reads the list again', async () => {
    const marked = answer('post', '/notifications/read', [200, { unread_count: 0 }])
    const { asked } = await page()
    await press(notifications.readAll)
    await until(() => asked.length > 1, 'the list')
    expect(marked.map(({ body }) => body)).toEqual([{ all: true }])
  })

  it('shows only those that are unread on demand', async () => {
    const { asked } = await page([], 0)
    await sees(notifications.none)
    document.querySelector<HTMLElement>('[role="switch"]')?.click()
    await sees(notifications.noneUnread)
    expect(asked.map((one) => queryOf(one).unread)).toEqual([undefined, '1'])
  })
})
