import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import type { RouteLocationNormalized, RouteMeta } from 'vue-router'
import { useSession } from '@/shared/session/store'
import { someone } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { mayEnter, safeNext } from './guards'

const to = (meta: Partial<RouteMeta>, fullPath = '/somewhere?x=1', query = {}) =>
  ({ meta: { title: 'x', ...meta }, fullPath, query }) as RouteLocationNormalized

describe('mayEnter', () => {
  beforeEach(() => setActivePinia(createPinia()))

  it('leads visitors to sign in and back', async () => {
    expect(await mayEnter(to({ roles: ['customer'] }))).toEqual({
      path: '/sign-in',
      query: { next: '/somewhere?x=1' },
    })
    expect(await mayEnter(to({}))).toBe(true)
  })

  it('tells a blocked person on the first page why they are signed out, once', async () => {
    document.cookie = 'csrf_refresh_token=abc'
    answer('post', '/token/refresh', [403, { code: 'account_blocked' }])
    expect(await mayEnter(to({ roles: ['customer'] }))).toEqual({
      path: '/sign-in',
      query: { why: 'blocked' },
    })
    expect(await mayEnter(to({}))).toBe(true)
  })

  it('says why it cannot tell whether someone is signed in, and leads on where they wanted once it can', async () => {
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

  it('keeps other roles out', async () => {
    await useSession().restore()
    useSession().user = someone('customer')
    expect(await mayEnter(to({ roles: ['admin'] }))).toMatchObject({ path: '/not-found' })
    expect(await mayEnter(to({ roles: ['customer', 'admin'] }))).toBe(true)
  })

  it('sends those who wait for approval to its page, except where they may be', async () => {
    await useSession().restore()
    useSession().user = someone('professional', { isactive: 0 })
    expect(await mayEnter(to({ roles: ['professional'] }))).toBe('/approval')
    expect(await mayEnter(to({ roles: ['professional'], whileWaiting: true }))).toBe(true)
  })

  it('leads to choosing a password while the account has the one it was issued', async () => {
    await useSession().restore()
    useSession().user = someone('admin', { must_change_password: 1 })
    expect(await mayEnter(to({ roles: ['admin'] }))).toBe('/password/first')
    expect(await mayEnter(to({ guestsOnly: true }))).toBe('/password/first')
    expect(await mayEnter(to({ roles: ['admin'], withFirstPassword: true }))).toBe(true)
  })

  it('leads the signed-in from the pages for guests and from the shop window to their home', async () => {
    await useSession().restore()
    useSession().user = someone('admin')
    expect(await mayEnter(to({ guestsOnly: true }))).toBe('/admin')
    expect(await mayEnter(to({ homePage: true }))).toBe('/admin')
  })
})

describe('safeNext', () => {
  it('takes paths of the application only', () => {
    expect(safeNext('/requests/3?x=1')).toBe('/requests/3?x=1')
    for (const bad of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '',
      undefined,
      ['/x'],
    ])
      expect(safeNext(bad)).toBeNull()
  })
})
