/** What goes wrong beside every page: no connection, a part that was not loaded, an error in the application itself. */
import { reactive } from 'vue'

export const appStatus = reactive({
  online: true,
  /** Where a full load leads after a part could not be loaded; null while nothing is missing. */
  unloaded: null as string | null,
  /** Loads the page again with the next version of the application; null while this is the newest. */
  activateNext: null as (() => void) | null,
  /** An error that no page has shown. */
  broken: false,
})

/** Errors that a person was already told of. */
const told = new WeakSet<object>()
export const noteTold = (error: unknown): void => {
  if (typeof error === 'object' && error !== null) told.add(error)
}

/** Broken off on purpose: the page was left, or the filter changed. */
function isCancelled(error: unknown): boolean {
  const name = typeof error === 'object' && error !== null && 'name' in error ? error.name : ''
  return name === 'CanceledError' || name === 'AbortError' || name === 'CancelledError'
}

/** Take note of an error that nothing else has dealt with. */
export function reportError(error: unknown): void {
  if (isCancelled(error)) return
  // eslint-disable-next-line no-console -- the one place where an error in the application itself is written down
  console.error(error)
  if (typeof error === 'object' && error !== null && told.has(error)) return
  appStatus.broken = true
}

/** Take note that a part of the application did not arrive; a full load fetches what stands there now. */
export function noteUnloaded(error: unknown, address = window.location.href): void {
  noteTold(error)
  appStatus.unloaded = address
}

export function noteConnection(): void {
  appStatus.online = navigator.onLine
}

/** Listen for what the browser and the bundler report. */
export function watchAppStatus(): void {
  window.addEventListener('online', () => (appStatus.online = true))
  window.addEventListener('offline', () => (appStatus.online = false))
  window.addEventListener('vite:preloadError', (event) =>
    noteUnloaded((event as Event & { payload?: unknown }).payload),
  )
  window.addEventListener('unhandledrejection', (event) => {
    event.preventDefault()
    reportError(event.reason)
  })
}

/** Another page came: what was wrong with the last one no longer matters. */
export function clearTroubles(): void {
  appStatus.unloaded = null
  appStatus.broken = false
}
