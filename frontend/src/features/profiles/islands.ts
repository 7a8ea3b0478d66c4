/** The parts of a public profile, each alive when the browser is idle: links work before, and on a slow phone one task for all of it held up the first touch. */
import type { RouteLocationNormalized } from 'vue-router'
import { useSession } from '@/shared/session/store'
import { island, onIdle, onView } from '@/shared/lib/island'

export const ProfileView = island(() => import('./components/ProfileView.vue'), onIdle)
export const OfferedTasks = island(() => import('./components/OfferedTasks.vue'), onIdle)
export const RatingSummary = island(() => import('./components/RatingSummary.vue'), onIdle)
export const ProfileReviews = island(() => import('./components/ProfileReviews.vue'), onView)

/** Where nothing was prerendered: in a page opened inside of the application, and for signed-in users. */
export async function preloadFrom(from: RouteLocationNormalized): Promise<void> {
  if (from.matched.length || useSession().signedIn)
    await Promise.all(
      [ProfileView, OfferedTasks, RatingSummary, ProfileReviews].map((part) => part.preload()),
    )
}
