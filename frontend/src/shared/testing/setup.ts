/** Around every spec: a clean browser store, our texts, and no call that nobody answers. */
import { enableAutoUnmount } from '@vue/test-utils'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { everyText, loadTexts } from '@/shared/lib/i18n'
import { actAs } from '@/shared/api/identity'
import { setToken } from '@/shared/api/token'
import { server } from './server'

beforeAll(async () => {
  server.listen({ onUnhandledFrame: 'error' })
  await loadTexts(...everyText)
})
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
// Hooks run in reverse: what is on the page is taken down before the page is emptied.
enableAutoUnmount(afterEach)
afterAll(() => server.close())
