/**
 * Around every spec: a clean browser store, our texts, and no call that nobody answers. Most files share a page and modules
 * (vitest.config.ts), so what a case or a file changes there is put back.
 */
import { disableAutoUnmount, enableAutoUnmount } from '@vue/test-utils'
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest'
import { actAs } from '@/shared/api/identity'
import { watchSession } from '@/shared/api/sessionWatch'
import { setToken } from '@/shared/api/token'
import { appStatus } from '@/shared/lib/appStatus'
import { everyText, loadTexts, setLanguage } from '@/shared/lib/i18n'
import { setLive } from '@/shared/live/state'
import { setMarket } from '@/shared/market'
import { server } from './server'

const attributes = (element: Element) =>
  Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value]))
function putBack(element: Element, before: Record<string, string>): void {
  for (const name of element.getAttributeNames()) if (!(name in before)) element.removeAttribute(name)
  for (const [name, value] of Object.entries(before)) element.setAttribute(name, value)
}
const page = { html: attributes(document.documentElement), body: attributes(document.body) }

beforeAll(() => loadTexts(...everyText))
beforeEach(() => {
  localStorage.clear()
  sessionStorage.clear()
})
afterEach(() => {
  server.resetHandlers()
  document.body.innerHTML = ''
  document.cookie = 'csrf_refresh_token=; max-age=0'
  document.cookie = 'csrf_refresh_token=; max-age=0; path=/'
  document.cookie = 'doorstep-language=; max-age=0; path=/'
  setToken(null)
  actAs(null)
})
// Hooks run in reverse: what is on the page is taken down before the page is emptied. Files that share modules come here each.
disableAutoUnmount()
enableAutoUnmount(afterEach)

afterAll(async () => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  await setLanguage('en', { keep: false })
  setMarket({ timezone: 'Asia/Kolkata', currency: 'INR', country: 'IN' })
  setLive(false)
  watchSession({ expired: () => Promise.resolve(false), blocked: () => undefined, changed: () => undefined })
  Object.assign(appStatus, { online: true, unloaded: null, activateNext: null, broken: false })
  window.history.replaceState(null, '', '/app/')
  document.title = ''
  document.head.innerHTML = ''
  putBack(document.documentElement, page.html)
  putBack(document.body, page.body)
})
