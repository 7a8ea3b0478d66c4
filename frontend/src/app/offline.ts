/** What opens without a connection: the application itself, by its service worker, and what its user was answered last. */
import { watch } from 'vue'
import { loadKeptVisits } from '@/features/task-requests'
import { loadVisitQueue } from '@/features/visits'
import { getToken } from '@/shared/api/token'
import type { Account } from '@/shared/api/types'
import { appStatus, noteUnloaded } from '@/shared/lib/appStatus'
import { whenIdle } from '@/shared/lib/idle'
import { local } from '@/shared/lib/storage'
import { dropAnswers } from '@/shared/offline/keptAnswers'
import { accountKey } from '@/shared/session/kept'
import { useSession } from '@/shared/session/store'

const script = '/app/service-worker.js'
const scope = '/app/'
/** Whose answers are kept: what could not be removed is found by it when the application starts again. */
const answersOf = 'doorstep-answers-of'

/** In milliseconds: several changes of a moment are read together. */
const soon = 3_000
/** A page that is looked at again after this long reads what has changed meanwhile. */
const rest = 5 * 60_000
/** Who asked for the next version does not wait longer for it. */
const patience = 5_000

/** Follow the session: what is kept belongs to its account, and goes with it. */
export function workOffline(): void {
  const session = useSession()
  void keepApplication()
  watch(() => session.user?.id, visitsChanged, { immediate: true })
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && Date.now() - visitsKeptAt > rest) visitsChanged()
  })
  watch(
    () => session.user,
    (user) => {
      if (user) void keep(user)
      else if (!session.unknown) void drop()
      void followQueue(user).catch(noteUnloaded)
    },
    { immediate: true },
  )
}

let isFollowing = false

/** What a professional has not sent stays under their account when another one signs in. */
async function followQueue(user: Account | null): Promise<void> {
  if (!isFollowing && user?.role !== 'professional') return
  isFollowing = true
  await (await loadVisitQueue()).followVisitQueue()
}

let visitsKeptAt = 0
let planned: ReturnType<typeof setTimeout> | undefined

/** Have a professional's coming visits on the device, once they may have changed and the page has nothing else to do. */
export function visitsChanged(): void {
  clearTimeout(planned)
  planned = setTimeout(() => void whenIdle().then(keepVisits), soon)
}

/** What does not arrive now is asked for after the next change. */
async function keepVisits(): Promise<void> {
  const { user } = useSession()
  if (user?.role !== 'professional' || !user.isactive) return
  // Nobody is asked to sign in again for this.
  if (document.hidden || !navigator.onLine || getToken() === null) return
  visitsKeptAt = Date.now()
  await loadKeptVisits()
    .then((visits) => visits.keepVisits())
    .catch(() => undefined)
}

async function keep(user: Account): Promise<void> {
  // Admins decide on what the server has now.
  if (user.role === 'admin') return drop()
  local.set(accountKey, JSON.stringify(user))
  if (local.get(answersOf) !== String(user.id)) {
    await dropAnswers(user.id)
    // They may have left meanwhile.
    if (useSession().user?.id === user.id) local.set(answersOf, String(user.id))
  }
}

async function drop(): Promise<void> {
  local.remove(accountKey)
  if (local.get(answersOf) === null) return
  await dropAnswers()
  local.remove(answersOf)
}

/** Where the browser refuses, as in a private window, the application works as without a service worker. */
async function keepApplication(): Promise<void> {
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD) return
  const registration = await navigator.serviceWorker.register(script, { scope }).catch(() => null)
  if (registration) noticeNext(registration)
}

function noticeNext(registration: ServiceWorkerRegistration): void {
  const offer = () => {
    const { waiting } = registration
    // The first version takes no other's place.
    if (!waiting || !navigator.serviceWorker.controller) return
    appStatus.activateNext = () => {
      const reload = (): void => window.location.reload()
      navigator.serviceWorker.addEventListener('controllerchange', reload, { once: true })
      // The browser lets the version before finish what it is loading. Leaving the page ends that too.
      setTimeout(reload, patience)
      waiting.postMessage('activate')
    }
  }
  offer()
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', offer)
  })
  // A page may stay open for days.
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void registration.update().catch(() => undefined)
  })
}
