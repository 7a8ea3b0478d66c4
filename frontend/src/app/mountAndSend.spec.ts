import { afterEach, expect, it, vi } from 'vitest'
import { mountAndSend } from './mountAndSend'

function sent() {
  document.body.innerHTML = '<div id="app"><form method="dialog"><input name="username"></form></div>'
  const submit = vi.spyOn(HTMLFormElement.prototype, 'requestSubmit').mockImplementation(() => undefined)
  return { root: document.getElementById('app') as HTMLElement, submit }
}
afterEach(() => {
  delete document.documentElement.dataset.sentEarly
  vi.restoreAllMocks()
})

it('submits a form that was submitted before the start, once the application is mounted', async () => {
  const { root, submit } = sent()
  document.documentElement.dataset.sentEarly = ''
  const mount = vi.fn(() => expect(submit).not.toHaveBeenCalled())
  await mountAndSend(root, mount)
  expect(mount).toHaveBeenCalledOnce()
  expect(submit).toHaveBeenCalledOnce()
})

it('submits nothing otherwise', async () => {
  const { root, submit } = sent()
  await mountAndSend(root, () => undefined)
  expect(submit).not.toHaveBeenCalled()
})
