/** Buttons of notifications that were pressed: the service worker notes them, and the page that it opens takes them. */
const kept = 'doorstep-presses'
/** A press that no page took this long is no longer meant. */
const validFor = 10 * 60_000
const addressOf = (request: number, action: string) => `/app/presses/${request}/${action}`

export async function notePress(request: number, action: string): Promise<void> {
  const cache = await caches.open(kept)
  await cache.put(addressOf(request, action), new Response(String(Date.now())))
}

/** Whether this was pressed a moment ago; a second call says no. Only the service worker of this site can note a press, no link can. */
export async function takePress(request: number, action: string): Promise<boolean> {
  if (!('caches' in globalThis)) return false
  const cache = await caches.open(kept)
  const address = addressOf(request, action)
  const found = await cache.match(address)
  const isFirst = await cache.delete(address)
  return isFirst && found !== undefined && Date.now() - Number(await found.text()) < validFor
}
