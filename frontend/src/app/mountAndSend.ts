/** Starts the application on a prerendered page (scripts/pages.mjs), which can be used before: what was pressed or sent too early is so now. */
import { nextTick } from 'vue'
import { pressedIn } from '@/shared/lib/pressedEarly'

/** Set by index.html when a form that only the application can send was sent before it started. */
const sentEarly = () => document.documentElement.dataset.sentEarly !== undefined

export async function mountAndSend(root: HTMLElement, mount: () => void): Promise<void> {
  const early = pressedIn(root)
  mount()
  // As Vue itself marks an application that it has not hydrated; index.html and the tests look for it.
  root.setAttribute('data-v-app', '')
  early?.click()
  if (!sentEarly()) return
  // What was typed is in the fields' models a moment after they are mounted (PlainInput).
  await nextTick()
  await nextTick()
  root.querySelector<HTMLFormElement>('form[method="dialog"]')?.requestSubmit()
}
