/** Ties the session to what surrounds it: the calls, the cached answers, the other tabs, a server that was away. */
import { effectScope, onScopeDispose, watch } from 'vue'
import { watchSession } from '@/shared/api/sessionWatch'
import { csrfToken } from '@/shared/api/token'
import { noteUnloaded } from '@/shared/lib/appStatus'
import { useSession } from '@/shared/session/store'
import { forgetAnswers, refreshAnswers } from '@/shared/lib/data'
import { joinTabs } from '@/shared/session/tabs'
import { loadFrame } from './frame'
import { router } from './router'

const firstWait = 1_000
const lastWait = 30_000

type Session = ReturnType<typeof useSession>

/** The guards look at the page once more: it may be another's, or its user is now known. */
function enterAgain(): void {
  const { path, query, hash } = router.currentRoute.value
  void router.replace({ path, query, hash, force: true })
}

/** Take up whatever session the browser has by now. */
async function follow(session: Session): Promise<void> {
  const before = session.user?.id
  await session.follow()
  if (before === undefined && session.signedIn) enterAgain()
  if (before !== undefined && !session.signedIn) void router.push('/sign-in')
}

function listen(target: EventTarget, name: string, hear: (event: Event) => void): void {
  target.addEventListener(name, hear)
  onScopeDispose(() => target.removeEventListener(name, hear))
}

function followOtherTabs(session: Session): void {
  let due = false

  function look(): void {
    if (csrfToken() === null) {
      if (!session.signedIn) return
      session.forget()
      void router.push('/sign-in')
    } else if (document.hidden) {
      // Many tabs that renew the session at once would get into each other's way: each does so when it is seen.
      due = true
    } else {
      due = false
      void follow(session).catch(() => undefined)
    }
  }

  const leaveTabs = joinTabs(({ kind, account }) => {
    const ours = session.user?.id === account
    if (kind === 'signed-out' ? ours : !ours || session.asking) look()
  })
  onScopeDispose(leaveTabs)
  listen(document, 'visibilitychange', () => {
    if (due && !document.hidden) look()
  })
  // A page that the browser kept frozen heard nothing meanwhile.
  listen(window, 'pageshow', (event) => {
    if ((event as PageTransitionEvent).persisted && session.signedIn) look()
  })
}

/** Someone who is signed in must not stay a visitor because the server was away when the page was loaded. */
function keepAsking(session: Session): void {
  let wait = firstWait
  let timer: number | undefined

  async function again(): Promise<void> {
    window.clearTimeout(timer)
    if (!session.unknown) return
    await follow(session).catch(() => undefined)
    if (!session.unknown) return session.signedIn ? refreshAnswers() : undefined
    timer = window.setTimeout(() => void again(), wait)
    wait = Math.min(lastWait, wait * 2)
  }

  watch(
    () => session.unknown,
    (unknown) => {
      if (unknown) timer = window.setTimeout(() => void again(), firstWait)
    },
  )
  listen(window, 'online', () => void again())
  onScopeDispose(() => window.clearTimeout(timer))
}

/** Returns what takes the ties off again. */
export function connectSession(): () => void {
  const session = useSession()
  const ties = effectScope(true)

  watchSession({
    expired: () => (session.signedIn ? session.askAgain() : Promise.resolve(false)),
    blocked: () => {
      session.forget()
      void router.push({ path: '/sign-in', query: { why: 'blocked' } })
    },
    changed: session.adopt,
    unproven: () => session.askForPassword(),
    isUnknown: () => session.unknown,
  })

  ties.run(() => {
    // At once: between the change and the next page nothing may read what the earlier account has asked for.
    watch(
      () => session.user?.id,
      (_, before) => {
        if (before !== undefined) forgetAnswers()
      },
      { flush: 'sync' },
    )
    watch(
      () => session.user?.id,
      (id) => {
        if (id === undefined) return
        void loadFrame().catch(noteUnloaded)
        void import('./accountLanguage').then(({ takeLanguage }) => takeLanguage()).catch(() => undefined)
      },
    )
    followOtherTabs(session)
    keepAsking(session)
  })
  return () => ties.stop()
}
