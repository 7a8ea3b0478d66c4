/** The parts of the search pages that need not be alive from the start: forms and links work before. */
import type { RouteLocationNormalized } from 'vue-router'
import { island, onIdle, onTouch } from '@/shared/lib/island'

export const SearchBox = island(() => import('./components/SearchBox.vue'), onTouch)
export const ResultsList = island(() => import('./components/ResultsList.vue'), onIdle)
export const OfferedTasks = island(() => import('./components/OfferedTasks.vue'), onIdle)

/** Before a page that is opened inside of the application; the first page of a visit shows what was prerendered. */
export async function preloadFrom(from: RouteLocationNormalized): Promise<void> {
  if (from.matched.length)
    await Promise.all([SearchBox, ResultsList, OfferedTasks].map((part) => part.preload()))
}
