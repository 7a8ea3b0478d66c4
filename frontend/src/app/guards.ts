/** Who may open which page. The server decides in the end; this spares people a page they cannot use. */
import type { RouteLocationNormalized, RouteLocationRaw } from 'vue-router'
import { safeNext } from '@/shared/lib/safeNext'
import { homeOf, useSession } from '@/shared/session/store'

export async function mayEnter(to: RouteLocationNormalized): Promise<true | RouteLocationRaw> {
  const session = useSession()
  await session.restore()
  if (session.shutOut) {
    session.shutOut = false
    return { path: '/sign-in', query: { why: 'blocked' } }
  }
  const { roles, guestsOnly, whileWaiting, homePage, withFirstPassword } = to.meta

  if (session.user?.must_change_password && !withFirstPassword) return '/password/first'
  if (guestsOnly && session.signedIn) return safeNext(to.query.next) ?? homeOf(session.user)
  if (homePage && session.role && session.role !== 'customer') return homeOf(session.user)
  if (!roles) return true
  if (!session.role)
    return { path: '/sign-in', query: { next: to.fullPath, ...(session.unknown && { why: 'unknown' }) } }
  if (!roles.includes(session.role)) return { path: '/not-found', query: {}, replace: true }
  if (session.waiting && !whileWaiting) return '/approval'
  return true
}
