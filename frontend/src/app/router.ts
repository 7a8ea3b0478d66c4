/** Every feature brings its own routes.ts; nothing is listed here twice. */
import type { Component } from 'vue'
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import type { TextKey } from '@/locales/keys'
import type { Role } from '@/shared/api/types'
import { mayEnter } from './guards'
import { loadRest } from '@/shared/lib/i18n'
import { loadIcons } from './icons'
import { loadMarket } from '@/shared/market'
import { useSession } from '@/shared/session/store'

export interface NavEntry {
  roles: readonly (Role | 'visitor')[]
  icon: string
  order: number
  /** A key of the texts; the page's title where it is left out. */
  label?: TextKey
  /** Shown beside the label: how much is new there. */
  count?: () => Promise<Component>
}

declare module 'vue-router' {
  interface RouteMeta {
    /** Key of the page's title. */
    title: TextKey
    /** Who may open the page; everyone where it is left out. */
    roles?: readonly Role[]
    guestsOnly?: boolean
    /** Open to professionals who wait for their approval. */
    whileWaiting?: boolean
    /** Open to accounts that still have the password issued to them. */
    withFirstPassword?: boolean
    /** The visitors' and customers' home: others are led to theirs. */
    homePage?: boolean
    /** Puts the page into the menu of these roles. */
    nav?: NavEntry
  }
}

const modules = import.meta.glob<{ default: RouteRecordRaw[] }>('../features/*/routes.ts', { eager: true })
export const featureRoutes: RouteRecordRaw[] = Object.values(modules).flatMap((module) => module.default)

export const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes: [
    ...featureRoutes,
    {
      path: '/:rest(.*)*',
      component: () => import('./pages/NotFoundPage.vue'),
      meta: { title: 'common.notFound.title' },
    },
  ],
  scrollBehavior: (to, from, saved) => {
    if (saved) return saved
    if (to.hash) return { el: to.hash }
    // The page drawn ahead may have been scrolled already.
    if (!from.matched.length) return false
    return to.path === from.path ? false : { top: 0 }
  },
})

router.beforeEach(mayEnter)
// A visitor's landing page has its texts and icons with it; everything else, menus included, waits for the rest of them.
router.beforeEach(async (to) => {
  if (to.path !== '/' || useSession().signedIn) await Promise.all([loadRest(), loadIcons(), loadMarket()])
})
