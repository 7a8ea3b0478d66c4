import { expect, it, vi } from 'vitest'
import { show, until } from '@/shared/testing/mount'
import AppAnnouncer from './AppAnnouncer.vue'

it('says so when a page does not come, offers to load it anew, and is quiet again once another came', async () => {
  const { router } = await show(AppAnnouncer)
  router.addRoute({ path: '/gone', meta: { title: 'common.loading' }, component: () => Promise.reject(new TypeError('Failed to fetch dynamically imported module')) })
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  await expect(router.push('/gone')).rejects.toThrow('Failed to fetch')
  await until(() => document.body.textContent.includes('This page could not be loaded.'), 'the word')
  const anew = [...document.querySelectorAll('button')].find((one) => one.textContent.trim() === 'Load anew')
  const assign = vi.spyOn(window.location, 'assign').mockImplementation(() => undefined)
  anew?.click()
  expect(assign).toHaveBeenCalledWith('/gone')
  await router.push('/elsewhere')
  await until(() => !document.body.textContent.includes('This page could not be loaded.'), 'quiet')
  vi.restoreAllMocks()
})
