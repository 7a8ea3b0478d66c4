import { describe, expect, it } from 'vitest'
import accounts from '@/locales/en/accounts.json'
import errors from '@/locales/en/errors.json'
import { useSession } from '@/shared/session/store'
import { show, someone, until } from '@/shared/testing/mount'
import { button, confirm, press, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import SessionsPage from './SessionsPage.vue'

const { sessions } = accounts
const session = (id: string, more: object = {}) => ({
  id,
  client: 'browser',
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
  address: '203.0.113.7',
  created_at: '2026-11-01T10:00:00+05:30',
  last_used_at: '2026-11-20T10:00:00+05:30',
  expires_at: '2026-12-20T10:00:00+05:30',
  current: 0,
  ...more,
})
const here = session('here', { current: 1 })
const firefox = sessions.device.replace('{browser}', 'Firefox').replace('{system}', 'Linux')
const endFirefox = sessions.endOf.replace('{device}', firefox)

async function page(...answers: object[][]) {
  answer(
    'get',
    '/me/sessions',
    ...answers.map((items) => [200, { items, next_cursor: null }] as [number, never]),
  )
  const { router } = await show(SessionsPage, { user: someone('customer'), path: '/profile/sessions' })
  await sees(sessions.this)
  return router
}

describe('SessionsPage', () => {
  it('ends another session and takes it off the list', async () => {
    const ended = answer('delete', '/me/sessions/:id', [204])
    await page([here, session('other')], [here])
    await press(endFirefox)
    await sees(sessions.ended)
    expect(ended.map(({ url }) => url.pathname)).toEqual(['/me/sessions/other'])
    await until(() => button(endFirefox) === undefined, 'its end')
  })

  it('names a program as such, and offers no end for the session in use', async () => {
    await page([here, session('api', { client: 'api', user_agent: null })])
    expect(says(sessions.program)).toBe(true)
    expect(button(sessions.endOf.replace('{device}', sessions.program))).toBeDefined()
    expect(button(endFirefox)).toBeUndefined()
  })

  it('asks before it signs out everywhere, then leads to the sign-in', async () => {
    const ended = answer('post', '/logout/everywhere', [204])
    const router = await page([here])
    await press(sessions.all)
    await sees(sessions.askAll)
    expect(ended).toEqual([])
    await confirm(sessions.all)
    await until(() => router.currentRoute.value.path === '/sign-in', 'the page')
    expect(ended).toHaveLength(1)
    expect(useSession().user).toBeNull()
  })

  it('stays signed in when the sessions could not be ended', async () => {
    answer('post', '/logout/everywhere', [503, { code: 'unavailable' }])
    const router = await page([here])
    await press(sessions.all)
    await confirm(sessions.all)
    await sees(errors.unavailable)
    expect(router.currentRoute.value.path).toBe('/profile/sessions')
    expect(useSession().user).not.toBeNull()
  })
})
