/** What a user sees on the page and does with it, by the words that are shown or read out. */
import { flushPromises } from '@vue/test-utils'
import { until } from './mount'

const all = <T extends Element = HTMLElement>(selector: string): T[] => [
  ...document.querySelectorAll<T>(selector),
]
const nameOf = (one: Element): string =>
  (one.getAttribute('aria-label') ?? one.textContent).replace(/\s+/g, ' ').trim()

export const says = (words: string): boolean => document.body.textContent.includes(words)
export const sees = (words: string): Promise<void> => until(() => says(words), `“${words}”`)
export const alert = (): string | undefined => document.querySelector('[role="alert"]')?.textContent.trim()

export const button = (name: string): HTMLButtonElement | undefined =>
  all<HTMLButtonElement>('button').find((one) => nameOf(one) === name)
export const link = (name: string): HTMLAnchorElement | undefined =>
  all<HTMLAnchorElement>('a').find((one) => nameOf(one) === name)

/** Presses a button once it is there; `within` a dialog, where one of the same name is behind it. */
export async function press(name: string, within = ''): Promise<void> {
  const found = () => all<HTMLButtonElement>(`${within} button`).find((one) => nameOf(one) === name)
  await until(() => found()?.disabled === false, `the button “${name}”`)
  found()?.click()
}
export const confirm = (name: string): Promise<void> => press(name, '[role="dialog"]')

/** The field of a label; a name that is only read out does as well. */
export function field(label: string): HTMLInputElement {
  const id = all<HTMLLabelElement>('label').find((one) => nameOf(one) === label)?.htmlFor
  const found = id
    ? document.getElementById(id)
    : all('input, textarea, select, [role="switch"]').find((one) => one.getAttribute('aria-label') === label)
  if (!found) throw new Error(`There is no field “${label}”`)
  return found as HTMLInputElement
}
export function fill(label: string, text: string): void {
  const input = field(label)
  input.value = text
  input.dispatchEvent(new Event('input', { bubbles: true }))
  input.dispatchEvent(new Event('change', { bubbles: true }))
}
/** Types into the fields of these labels. */
export const fillAll = (values: Record<string, string>): void => {
  for (const [label, text] of Object.entries(values)) fill(label, text)
}

/** What stands under a field about what is wrong with it. */
export function problemOf(label: string): string | undefined {
  const input = field(label)
  if (input.getAttribute('aria-invalid') !== 'true') return undefined
  const ids = input.getAttribute('aria-describedby')?.split(' ') ?? []
  return ids.map((id) => document.getElementById(id)?.textContent.trim() ?? '').join(' ')
}

/** Submits a form once what was typed has reached it. */
export async function submit(form = 'form'): Promise<void> {
  await flushPromises()
  const found = document.querySelector(form)
  if (!found) throw new Error('There is no form')
  found.dispatchEvent(new Event('submit', { cancelable: true, bubbles: true }))
}
export const queryOf = (seen: { url: URL } | undefined): Record<string, string> =>
  Object.fromEntries(seen?.url.searchParams ?? [])
