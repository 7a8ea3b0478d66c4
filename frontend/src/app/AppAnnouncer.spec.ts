import { expect, it, vi } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { setLanguage } from '@/shared/lib/i18n'
import { clearTroubles } from '@/shared/lib/appStatus'
import { usePageTitle } from '@/shared/composables/usePageTitle'
import { show, until } from '@/shared/testing/mount'
import AppAnnouncer from './AppAnnouncer.vue'
import AppStatus from './AppStatus.vue'

const both = defineComponent({ render: () => [h(AppAnnouncer), h(AppStatus)] })

it('announces a page that failed to load, offers to reload it, and clears the message after another page loaded', async () => {
  const { router } = await show(both)
  router.addRoute({
    path: '/gone',
    meta: { title: 'common.loading' },
    component: () => Promise.reject(new TypeError('Failed to fetch dynamically imported module')),
  })
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  await expect(router.push('/gone')).rejects.toThrow('Failed to fetch')
  await until(() => document.body.textContent.includes('could not be loaded.'), 'the word')
  const retry = [...document.querySelectorAll('button')].find(
    (one) => one.textContent.trim() === 'Reload page',
  )
  const assign = vi.spyOn(window.location, 'assign').mockImplementation(() => undefined)
  retry?.click()
  expect(assign).toHaveBeenCalledWith('/gone')
  await router.push('/elsewhere')
  await until(() => !document.body.textContent.includes('could not be loaded.'), 'quiet')
  vi.restoreAllMocks()
  clearTroubles()
})

it('leaves the title of a page to the page when the language changes', async () => {
  const heading = ref('Tap repair')
  const page = defineComponent({
    setup() {
      usePageTitle(heading)
      return () => [h(AppAnnouncer), h(AppStatus)]
    },
  })
  await show(page)
  expect(document.title).toBe('Tap repair · Doorstep')
  await setLanguage('hi')
  await until(() => document.documentElement.lang === 'hi', 'the language')
  expect(document.title).toBe('Tap repair · Doorstep')
  await setLanguage('en')
})
