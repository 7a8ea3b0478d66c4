/** Every feature brings its own routes.ts; nothing is listed here twice. */
import type { Component } from 'vue'
import { createMemoryHistory, createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import type { TextKey } from '@/locales/keys'
import type { Role } from '@/shared/api/types'
import { mayEnter } from './guards'
import { loadTexts } from '@/shared/lib/i18n'
import { loadData } from '@/shared/lib/data'
import { loadFrame } from './frame'
import { loadIcons } from './icons'
import { loadMarket } from '@/shared/market'
import { useSession } from '@/shared/session/store'
import { loadUi } from './useUi'

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
    /** Made of plain parts only (shared/ui/plain): it needs neither Nuxt UI nor the icons of the other pages. */
    isPlain?: boolean
    /** Reads nothing from the API before it can be used; parts that do come later (shared/lib/data.ts). */
    isStatic?: boolean
    /** A plain page on which errors of calls and fields may show. */
    hasForm?: boolean
    /** Entries of the menu to which the page belongs, where its path does not say so. */
    under?: readonly string[]
    /** Puts the page into the menu of these roles. */
    nav?: NavEntry
  }
}

const modules = import.meta.glob<{ default: RouteRecordRaw[] }>('../features/*/routes.ts', { eager: true })
export const featureRoutes: RouteRecordRaw[] = Object.values(modules).flatMap((module) => module.default)

export const router = createRouter({
  history: (import.meta.env.SSR ? createMemoryHistory : createWebHistory)(import.meta.env.BASE_URL),
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
router.beforeEach(async ({ matched, meta: { isPlain = false, isStatic = false, hasForm = false } }) => {
  const texts = [matched[0]?.path ?? '', ...(isPlain && !hasForm ? [] : ['shared'])]
  const parts: Promise<unknown>[] = [loadTexts(...texts)]
  if (!isStatic) parts.push(loadData())
  if (!isPlain) parts.push(loadIcons(), loadUi())
  if (useSession().signedIn) parts.push(loadFrame())
  if (!import.meta.env.SSR) parts.push(loadMarket())
  await Promise.all(parts)
})
router.afterEach((_to, from) => {
  // The fonts that came too late for the entry page (scripts/pages.mjs).
  if (from.matched.length) document.documentElement.classList.remove('late-font')
})
