import { afterEach, expect, it, vi } from 'vitest'
import { takeOver } from './takeOver'

const drawn =
  '<a href="#main">Skip</a><form method="dialog"><input name="username"><input name="password" type="password"></form><main id="main" tabindex="-1"></main>'

function around() {
  document.body.innerHTML = `<div id="app">${drawn}</div>`
  const root = document.getElementById('app') as HTMLElement
  const mount = () => {
    root.innerHTML = drawn
  }
  return { root, mount, input: (name: string) => root.querySelector<HTMLInputElement>(`[name="${name}"]`) }
}
afterEach(() => delete document.documentElement.dataset.sentEarly)

it('restores typed text and the focus', async () => {
  const { root, mount, input } = around()
  const field = input('username')
  if (field) field.value = 'asha'
  field?.focus()
  field?.setSelectionRange(2, 2)
  const heard: string[] = []
  root.addEventListener('input', (event) => heard.push((event.target as HTMLInputElement).value))
  await takeOver(root, mount)
  expect(input('username')).not.toBe(field)
  expect(input('username')?.value).toBe('asha')
  expect(heard).toEqual(['asha'])
  expect(document.activeElement).toBe(input('username'))
  expect(input('username')?.selectionStart).toBe(2)
})

it('restores the focus of an element without a name', async () => {
  const { root, mount } = around()
  root.querySelector('main')?.focus()
  await takeOver(root, mount)
  expect(document.activeElement).toBe(root.querySelector('main'))
})

it('submits a form that was submitted before the start, with its values', async () => {
  const { root, mount, input } = around()
  const field = input('username')
  if (field) field.value = 'asha'
  const sent = vi.spyOn(HTMLFormElement.prototype, 'requestSubmit').mockImplementation(() => undefined)
  await takeOver(root, mount)
  expect(sent).not.toHaveBeenCalled()
  document.documentElement.dataset.sentEarly = ''
  await takeOver(root, mount)
  expect(sent).toHaveBeenCalledOnce()
  expect(input('username')?.value).toBe('asha')
  sent.mockRestore()
})
