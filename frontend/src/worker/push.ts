/** Shows push messages, and opens the page of the one that is pressed. */
import { notePress } from '../shared/push/presses'

interface PushData {
  json: () => unknown
}
interface WorkerEvent extends Event {
  waitUntil: (work: Promise<unknown>) => void
}
interface Received extends WorkerEvent {
  data: PushData | null
}
interface Pressed extends WorkerEvent {
  notification: Notification & { data?: { url?: unknown; actions?: unknown } }
  /** The name of the button that was pressed; empty for the message itself. */
  action?: string
}
interface Tab {
  url: string
  focus: () => Promise<unknown>
}
interface Worker {
  registration: ServiceWorkerRegistration
  location: Location
  clients: {
    matchAll: (options: { type: 'window'; includeUncontrolled: boolean }) => Promise<readonly Tab[]>
    openWindow: (url: string) => Promise<unknown>
  }
  addEventListener: {
    (name: 'push', hear: (event: Received) => void): void
    (name: 'notificationclick', hear: (event: Pressed) => void): void
  }
}
interface Message {
  title: string
  body: string
  url: string
  tag?: string
  language?: string
  actions?: { action: string; title: string; url: string }[]
}

// The types of workers and of pages exclude each other, and this folder has those of pages.
const worker = self as unknown as Worker
const home = '/app/'

/** Only pages of the application are opened, whatever a message says. */
function pageOf(url: unknown): string {
  const found = new URL(typeof url === 'string' ? url : home, worker.location.origin)
  const isOurs = found.origin === worker.location.origin && found.pathname.startsWith(home)
  return isOurs ? found.href : new URL(home, worker.location.origin).href
}

/** Browsers withdraw the permission from a worker that receives a message and shows nothing: so this always says something. */
function messageOf(data: PushData | null): Message {
  const empty = { title: 'Doorstep', body: '', url: home }
  try {
    return { ...empty, ...(data?.json() as Partial<Message>) }
  } catch {
    return empty
  }
}

worker.addEventListener('push', (event) => {
  const { title, body, url, tag, language, actions } = messageOf(event.data)
  const buttons = Array.isArray(actions) ? actions : []
  const options = {
    body,
    tag,
    lang: language,
    data: { url, ...(buttons.length > 0 && { actions: buttons }) },
    ...(buttons.length > 0 && {
      actions: buttons.map(({ action, title: label }) => ({ action, title: label })),
    }),
  }
  event.waitUntil(worker.registration.showNotification(title, options))
})

worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const { url, actions } = event.notification.data ?? {}
  const pressed = Array.isArray(actions)
    ? (actions as Message['actions'])?.find(({ action }) => action === event.action)
    : undefined
  event.waitUntil(pressed ? choose(pressed) : open(pageOf(url)))
})

/** A page that is open elsewhere stays as it is: it may hold something half written. */
async function open(page: string): Promise<void> {
  const tabs = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const tab = tabs.find((one) => one.url === page)
  await (tab ? tab.focus() : worker.clients.openWindow(page))
}

/** The page does what was pressed, as the account that is signed in there; if none is, after signing in. */
async function choose({ action, url }: NonNullable<Message['actions']>[number]): Promise<void> {
  const page = pageOf(url)
  const [, request] = /\/requests\/(\d+)/.exec(page) ?? []
  if (request) await notePress(Number(request), action)
  await worker.clients.openWindow(page)
}

export type { Message }
