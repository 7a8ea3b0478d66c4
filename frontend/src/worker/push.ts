/** Shows push messages, and opens the page of the one that is pressed. */
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
  notification: Notification & { data?: { url?: unknown } }
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
  const { title, body, url, tag, language } = messageOf(event.data)
  event.waitUntil(worker.registration.showNotification(title, { body, tag, lang: language, data: { url } }))
})

worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(open(pageOf(event.notification.data?.url)))
})

/** A page that is open elsewhere stays as it is: it may hold something half written. */
async function open(page: string): Promise<void> {
  const tabs = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const tab = tabs.find((one) => one.url === page)
  await (tab ? tab.focus() : worker.clients.openWindow(page))
}

export type { Message }
