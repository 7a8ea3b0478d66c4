/** Mounts a part with everything that the application gives it. */
import { createPinia, setActivePinia } from 'pinia'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { mount, type VueWrapper } from '@vue/test-utils'
import { useOverlay } from '@nuxt/ui/runtime/composables/useOverlay.js'
import { type Component, defineComponent, h } from 'vue'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'
import ui, { UiFrame, UiOverlays, useToast } from '@/app/ui'
import { i18n } from '@/shared/lib/i18n'
import { defaultOptions } from '@/shared/lib/queryClient'
import type { Account } from '@/shared/api/types'
import { useSession } from '@/shared/session/store'

interface Around {
  props?: Record<string, unknown>
  slots?: Record<string, string | (() => unknown)>
  user?: Account
  path?: string
  /** The route's own path, where the page reads parameters from it: '/tasks/:id'. */
  route?: string
  errorHandler?: (error: unknown) => void
}

export interface Mounted {
  wrapper: VueWrapper
  router: Router
}

export async function show(
  part: Component,
  { props = {}, slots = {}, user, path = '/', route, errorHandler }: Around = {},
): Promise<Mounted> {
  const pinia = createPinia()
  setActivePinia(pinia)
  if (user) useSession().user = user
  const page = defineComponent({ render: () => h('div') })
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [...(route ? [route] : []), '/:rest(.*)*'].map((one) => ({
      path: one,
      component: page,
      meta: { title: 'common.loading' },
    })),
  })
  await router.push(path)
  const { mutations, queries } = defaultOptions
  const queryClient = new QueryClient({
    defaultOptions: { queries: { ...queries, staleTime: 0, retry: false, gcTime: 0 }, mutations },
  })
  const framed = defineComponent({
    setup: () => {
      // Messages and dialogs of the case before are kept beside the application.
      useToast().clear()
      useOverlay().overlays.splice(0)
      return () => [h(UiFrame, () => h(part, props, slots as never)), h(UiOverlays)]
    },
  })
  const wrapper = mount(framed, {
    attachTo: document.body,
    global: {
      plugins: [pinia, router, i18n, ui, [VueQueryPlugin, { queryClient }]],
      ...(errorHandler && { config: { errorHandler } }),
    },
  })
  return { wrapper, router }
}

/** Waits until what is looked for holds, as a person would. The limit is for what hangs; it says nothing about speed. */
export async function until(holds: () => boolean, what = 'it'): Promise<void> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    if (holds()) return
    await new Promise((resolve) => {
      setTimeout(resolve, 10)
    })
  }
  throw new Error(`Waited too long for ${what} to hold:\n${document.body.innerHTML.slice(0, 2000)}`)
}

export const someone = (role: Account['role'], more: Partial<Account> = {}): Account => ({
  id: 7,
  role,
  username: 'asha',
  email: 'asha@example.org',
  firstname: 'Asha',
  lastname: 'Rao',
  address: '12 Residency Road',
  pincode: '560025',
  phone: null,
  phone_verified: 0,
  language: 'en',
  isactive: 1,
  created_at: '2026-11-01T10:00:00+05:30',
  ...more,
})
