import { describe, expect, it } from 'vitest'
import { h } from 'vue'
import { RouterView } from 'vue-router'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import UserPage from './UserPage.vue'

const figures = {
  requested: 1,
  accepted: 0,
  completed: 0,
  closed: 4,
  cancelled: 3,
  expired: 0,
  rejected: 0,
  released_90_days: 0,
  cancelled_90_days: 3,
  value_closed: '1996.00',
}
const person = (more: object = {}) => ({
  ...someone('customer', { id: 21, firstname: 'Ravi', lastname: 'Kapoor' }),
  blocked_at: null,
  blocked_reason: null,
  blocked_note: null,
  last_seen_at: null,
  allowed_actions: ['block'],
  figures,
  latest_reviews: [],
  history: [],
  ...more,
})
const button = (text: string) =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === text)

async function open() {
  answer('get', '/tasks', [200, { items: [], next_cursor: null }])
  const { wrapper, router } = await show(
    { render: () => h(RouterView) },
    { user: someone('admin', { id: 1 }) },
  )
  router.addRoute({ path: '/admin/customers/:id', component: UserPage, props: { role: 'customer' } })
  await router.push('/admin/customers/21')
  await until(() => wrapper.text().includes('Ravi Kapoor'), 'the person')
  return wrapper
}

describe('UserPage', () => {
  it('offers the allowed actions and marks users who cancel often', async () => {
    answer('get', '/customers/:id', [200, person()])
    const wrapper = await open()
    expect(['Approve', 'Reject', 'Block', 'Unblock'].filter((text) => button(text))).toEqual(['Block'])
    expect(wrapper.text()).toContain('Needs attention: cancelled 3 requests in the last 90 days.')
    expect(wrapper.find('a[href="/admin/requests?customer_id=21&status=cancelled"]').exists()).toBe(true)
  })

  it('ends all sessions after confirmation', async () => {
    answer('get', '/customers/:id', [200, person()])
    const seen = answer('post', '/users/:id/end_sessions', [204])
    await open()
    button('Sign out everywhere')?.click()
    await until(
      () =>
        Boolean(
          document
            .querySelector('[role="dialog"]')
            ?.textContent?.includes('Sign Ravi Kapoor out everywhere?'),
        ),
      'the question',
    )
    expect(seen).toHaveLength(0)
    ;[...document.querySelectorAll<HTMLButtonElement>('[role="dialog"] button')]
      .find((one) => one.textContent?.trim() === 'Sign out everywhere')
      ?.click()
    await until(() => seen.length === 1, 'the call')
    expect(seen[0]?.url.pathname).toBe('/users/21/end_sessions')
  })

  it('blocks only with a reason from the list, and keeps the note after an error', async () => {
    answer('get', '/customers/:id', [200, person()])
    const seen = answer('post', '/users/:id/block', [409, { code: 'invalid_transition' }])
    await open()
    button('Block')?.click()
    await until(() => Boolean(document.querySelector('[role="dialog"] [role="radio"]')), 'the question')
    const dialog = document.querySelector('[role="dialog"]') as HTMLElement
    const go = () => dialog.querySelector<HTMLButtonElement>('button[type="submit"]')?.click()
    go()
    await until(() => Boolean(dialog.textContent?.includes('This field is required.')), 'the refusal')
    expect(seen).toHaveLength(0)
    dialog.querySelector<HTMLElement>('[role="radio"][value="fraud"]')?.click()
    const words = dialog.querySelector('textarea') as HTMLTextAreaElement
    words.value = 'Paid with a stolen card'
    words.dispatchEvent(new Event('input'))
    go()
    await until(() => seen.length === 1, 'the call')
    expect(seen[0]?.body).toEqual({ reason: 'fraud', note: 'Paid with a stolen card' })
    await until(() => Boolean(dialog.querySelector('[role="alert"]')), 'what the server said')
    expect(words.value).toBe('Paid with a stolen card')
  })
})
