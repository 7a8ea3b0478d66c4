/**
 * Keeps the application itself on the device: the parts that the pages of a visit are made of, and the empty page that they begin
 * with. Pages come from the server where it responds soon. Calls of the API are never touched.
 */
import * as navigationPreload from 'workbox-navigation-preload'
import {
  cleanupOutdatedCaches,
  matchPrecache,
  precacheAndRoute,
  type PrecacheEntry,
} from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'
import { CacheFirst, StaleWhileRevalidate } from 'workbox-strategies'

/** Filled in by scripts/serviceWorker.mjs. */
interface Precache {
  entries: PrecacheEntry[]
  /** The address of the empty page. */
  shell: string
  build: string
}
interface Events {
  waitUntil: (work: Promise<unknown>) => void
}
interface Worker {
  skipWaiting: () => Promise<void>
  addEventListener: {
    (name: 'message', hear: (event: MessageEvent<unknown>) => void): void
    (name: 'activate', hear: (event: Events) => void): void
  }
}

// The types of workers and of pages exclude each other, and this folder has those of pages.
const worker = self as unknown as Worker
const patience = 4_000
const { entries, shell, build } = import.meta.env.PRECACHE as Precache
const others = 'doorstep-assets-'

async function inTime(response: Promise<Response>): Promise<Response | null> {
  const tooLate = new Promise<null>((resolve) => {
    setTimeout(() => resolve(null), patience)
  })
  const found = await Promise.race([response.catch(() => null), tooLate])
  return found && found.status < 500 ? found : null
}

/** The page from the server; where it is not there in time, the empty one. */
async function page({ event, request }: { event: Event; request: Request }): Promise<Response> {
  const { preloadResponse } = event as Event & { preloadResponse?: Promise<Response | undefined> }
  const asked = Promise.resolve(preloadResponse).then((early) => early ?? fetch(request))
  return (await inTime(asked)) ?? (await matchPrecache(shell)) ?? asked
}

precacheAndRoute(entries)
cleanupOutdatedCaches()
navigationPreload.enable()
registerRoute(new NavigationRoute(page, { allowlist: [/^\/app(\/|$)/] }))
// Named by their content: what was loaded once stays right.
registerRoute(
  ({ url }) => url.pathname.startsWith('/app/assets/'),
  new CacheFirst({ cacheName: others + build }),
)
registerRoute(
  ({ url }) => url.pathname === '/app/market.json',
  new StaleWhileRevalidate({ cacheName: 'doorstep-market' }),
)

worker.addEventListener('activate', (event) => event.waitUntil(dropOldBuilds()))
// The next version waits until a page asks for it: parts of two versions do not work together.
worker.addEventListener('message', ({ data }) => {
  if (data === 'activate') void worker.skipWaiting()
})

async function dropOldBuilds(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(others) && name !== others + build)
  await Promise.all(names.map((name) => caches.delete(name)))
}
