/** Ties the session to what surrounds it: the calls, the cached answers, the other tabs. */
import { watch } from 'vue'
import { watchSession } from '@/shared/api/http'
import { homeOf, useSession } from '@/shared/session/store'
import { queryClient } from './query'
import { router } from './router'

export function connectSession(): void {
  const session = useSession()
  const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('doorstep-session') : null

  watchSession({
    expired: () => (session.signedIn ? session.askAgain() : Promise.resolve(false)),
    blocked: () => {
      session.forget()
      void router.push({ path: '/sign-in', query: { why: 'blocked' } })
    },
  })

  watch(
    () => session.user?.id,
    (id, before) => {
      if (before !== undefined) queryClient.clear()
      if (id === undefined) tabs?.postMessage('signed-out')
    },
  )

  // Another person signing in over an open page must not go on with that page's contents.
  watch(
    () => [session.user?.id, session.user?.isactive] as const,
    ([id], [before]) => {
      if (id !== undefined && before !== undefined && id !== before) void router.push(homeOf(session.user))
    },
  )

  tabs?.addEventListener('message', (event) => {
    if (event.data !== 'signed-out' || !session.signedIn) return
    session.forget()
    void router.push('/sign-in')
  })
}
