/**
 * Puts the application in the place of the page drawn ahead (scripts/pages.mjs), which can be used before: what was typed,
 * where the focus stood and how far the page was scrolled goes over, and a form that was sent too early is sent now.
 */
import { nextTick } from 'vue'

interface Place {
  tag: string
  mark: string
  nth: number
}
const marks = ['id', 'name', 'href', 'aria-label'] as const
const markOf = (element: Element) =>
  marks.map((mark) => element.getAttribute(mark) ?? '').join('\n') || (element.textContent ?? '')
const alike = (root: Element, tag: string, mark: string) =>
  [...root.getElementsByTagName(tag)].filter((one) => markOf(one) === mark)

function placeOf(root: Element, element: Element | null): Place | null {
  if (!element || !root.contains(element)) return null
  const [tag, mark] = [element.tagName, markOf(element)]
  return { tag, mark, nth: alike(root, tag, mark).indexOf(element) }
}
const find = (root: Element, place: Place | null) =>
  place ? (alike(root, place.tag, place.mark)[place.nth] as HTMLElement | undefined) : undefined

const named = 'input[name], textarea[name]'
type Field = HTMLInputElement | HTMLTextAreaElement

function fill(field: Field, value: string, focused: boolean): void {
  field.value = value
  field.dispatchEvent(new Event('input', { bubbles: true }))
  if (!focused) field.dispatchEvent(new FocusEvent('blur'))
}

/** Set by index.html when a form that only the application can send was sent before it stood. */
const sentEarly = () => document.documentElement.dataset.sentEarly !== undefined

export async function takeOver(root: HTMLElement, mount: () => void): Promise<void> {
  const typed = [...root.querySelectorAll<Field>(named)]
    .filter((field) => field.value !== '')
    .map((field) => ({ name: field.name, value: field.value }))
  const focused = placeOf(root, document.activeElement)
  const selection =
    document.activeElement instanceof HTMLInputElement ? document.activeElement.selectionStart : null
  const scrolled = window.scrollY
  mount()
  await nextTick()
  const active = find(root, focused)
  for (const { name, value } of typed) {
    const field = [...root.querySelectorAll<Field>(named)].find((one) => one.name === name)
    if (field) fill(field, value, field === active)
  }
  active?.focus({ preventScroll: true })
  if (active instanceof HTMLInputElement && selection !== null) active.setSelectionRange(selection, selection)
  if (scrolled) window.scrollTo(0, scrolled)
  await nextTick()
  if (sentEarly()) root.querySelector<HTMLFormElement>('form[method="dialog"]')?.requestSubmit()
}
