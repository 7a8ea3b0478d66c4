/** Push notifications on this device: what the browser allows, and its subscription with the push service and with us. */
import { createMyPushSubscription, deleteMyPushSubscription, getMyPushKey } from '@/shared/api/generated'
import { local } from '@/shared/lib/storage'

/** Why a device can have none, or whether it has them. `install`: only once the page is on the home screen (iOS). */
export type PushState = 'unsupported' | 'insecure' | 'install' | 'denied' | 'off' | 'on'

/** The browser itself refused to subscribe: it has none, or cannot reach it. */
export class NoPushServer extends Error {}

const script = '/app/service-worker.js'
const scope = '/app/'
/** The account that turned push on in this browser, and the id of its device. */
const keptAs = 'push'

interface Kept {
  account: number
  device: number
}

export async function pushState(account: number): Promise<PushState> {
  if (!window.isSecureContext) return 'insecure'
  if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window))
    return /iPhone|iPad/.test(navigator.userAgent) ? 'install' : 'unsupported'
  if (Notification.permission === 'denied') return 'denied'
  if (kept()?.account !== account || Notification.permission !== 'granted') return 'off'
  return (await subscription()) ? 'on' : 'off'
}

/** Asks for permission, so it has to follow a press. Returns the state it leads to; throws NoPushServer or a problem of the API. */
export async function turnOnPush(account: number): Promise<PushState> {
  if ((await Notification.requestPermission()) !== 'granted')
    return Notification.permission === 'denied' ? 'denied' : 'off'
  const { key } = (await getMyPushKey()).data
  const registration = await navigator.serviceWorker.register(script, { scope })
  await register(account, await subscribe(registration, key))
  return 'on'
}

export async function turnOffPush(): Promise<void> {
  const device = kept()?.device
  local.remove(keptAs)
  await (await subscription())?.unsubscribe()
  if (device !== undefined) await deleteMyPushSubscription({ path: { subscription_id: device } })
}

/** After signing in again, or after the key has changed, the device belongs to the new session. */
export async function renewPush(account: number): Promise<void> {
  if ((await pushState(account)) !== 'on') return
  const registration = await navigator.serviceWorker.getRegistration(scope)
  if (!registration) return
  const { key } = (await getMyPushKey()).data
  await register(account, await subscribe(registration, key))
}

async function subscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration(scope)
  return (await registration?.pushManager.getSubscription()) ?? null
}

async function subscribe(registration: ServiceWorkerRegistration, key: string): Promise<PushSubscription> {
  const manager = registration.pushManager
  const applicationServerKey = bytesOf(key)
  const present = await manager.getSubscription()
  if (present && isSame(present.options.applicationServerKey, applicationServerKey)) return present
  await present?.unsubscribe()
  try {
    // A worker that was just registered can subscribe only once it is active.
    await navigator.serviceWorker.ready
    return await manager.subscribe({ userVisibleOnly: true, applicationServerKey })
  } catch (error) {
    throw new NoPushServer(String(error))
  }
}

async function register(account: number, made: PushSubscription): Promise<void> {
  const { endpoint, keys } = made.toJSON()
  if (!endpoint || !keys?.p256dh || !keys.auth) throw new NoPushServer('a subscription without keys')
  const body = { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } }
  const device = (await createMyPushSubscription({ body })).data.id
  local.set(keptAs, JSON.stringify({ account, device } satisfies Kept))
}

function kept(): Kept | null {
  try {
    return JSON.parse(local.get(keptAs) ?? 'null') as Kept | null
  } catch {
    return null
  }
}

function bytesOf(key: string): Uint8Array<ArrayBuffer> {
  const text = atob(key.replace(/-/g, '+').replace(/_/g, '/'))
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}

function isSame(present: ArrayBuffer | null, wanted: Uint8Array): boolean {
  const bytes = new Uint8Array(present ?? new ArrayBuffer(0))
  return bytes.length === wanted.length && bytes.every((byte, index) => byte === wanted[index])
}
