import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import type { RouteLocationNormalized, RouteMeta } from 'vue-router'
import { useSession } from '@/shared/session/store'
import { someone } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { mayEnter } from './guards'

const to = (meta: Partial<RouteMeta>, fullPath = '/somewhere?x=1', query = {}) =>
  ({ meta: { title: 'x', ...meta }, fullPath, query }) as RouteLocationNormalized

describe('mayEnter', () => {
  beforeEach(() => setActivePinia(createPinia()))

  it('redirects visitors to sign-in and back', async () => {
    expect(await mayEnter(to({ roles: ['customer'] }))).toEqual({
      path: '/sign-in',
      query: { next: '/somewhere?x=1' },
    })
    expect(await mayEnter(to({}))).toBe(true)
  })

  it('shows a blocked user once why they are signed out', async () => {
    document.cookie = 'csrf_refresh_token=abc'
    answer('post', '/token/refresh', [403, { code: 'account_blocked' }])
    expect(await mayEnter(to({ roles: ['customer'] }))).toEqual({
      path: '/sign-in',
      query: { why: 'blocked' },
    })
    expect(await mayEnter(to({}))).toBe(true)
  })

  it('explains when the session cannot be checked, and continues to the page afterwards', async () => {
    document.cookie = 'csrf_refresh_token=abc'
    answer('post', '/token/refresh', [503])
    expect(await mayEnter(to({ roles: ['customer'] }))).toEqual({
      path: '/sign-in',
      query: { next: '/somewhere?x=1', why: 'unknown' },
    })
    useSession().user = someone('customer')
    expect(await mayEnter(to({ guestsOnly: true }, '/sign-in', { next: '/somewhere?x=1' }))).toBe(
      '/somewhere?x=1',
    )
  })

  it('rejects other roles', async () => {
    await useSession().restore()
    useSession().user = someone('customer')
    expect(await mayEnter(to({ roles: ['admin'] }))).toMatchObject({ path: '/not-found' })
    expect(await mayEnter(to({ roles: ['customer', 'admin'] }))).toBe(true)
  })

  it('redirects professionals without approval to the approval page, except from allowed pages', async () => {
    await useSession().restore()
    useSession().user = someone('professional', { isactive: 0 })
    expect(await mayEnter(to({ roles: ['professional'] }))).toBe('/approval')
    expect(await mayEnter(to({ roles: ['professional'], whileWaiting: true }))).toBe(true)
  })

  it('redirects to the password page while the password is temporary', async () => {
    await useSession().restore()
    useSession().user = someone('admin', { must_change_password: 1 })
    expect(await mayEnter(to({ roles: ['admin'] }))).toBe('/password/first')
    expect(await mayEnter(to({ guestsOnly: true }))).toBe('/password/first')
    expect(await mayEnter(to({ roles: ['admin'], withFirstPassword: true }))).toBe(true)
  })

  it('redirects signed-in users from guest pages and the landing page to their home page', async () => {
    await useSession().restore()
    useSession().user = someone('admin')
    expect(await mayEnter(to({ guestsOnly: true }))).toBe('/admin')
    expect(await mayEnter(to({ homePage: true }))).toBe('/admin')
  })
})
