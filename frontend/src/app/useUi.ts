/** Nuxt UI where it is needed: before a page that is made of it, and before a message over any page. */
import type { Toast } from '@nuxt/ui/runtime/composables/useToast.js'
import { shallowRef, type App } from 'vue'
import { noteUnloaded } from '@/shared/lib/appStatus'
import { whenIdle } from '@/shared/lib/idle'
import { once } from '@/shared/lib/once'
import { connectParts } from '@/shared/lib/richParts'

type Ui = typeof import('./ui')

/** Null while it is not loaded. */
export const uiParts = shallowRef<Pick<Ui, 'UiFrame' | 'UiOverlays'> | null>(null)
let application: App | null = null

export function connectUi(app: App): void {
  application = app
  connectParts(loadUi)
}

export const loadUi = once(async (): Promise<Ui> => {
  const ui = await import('./ui')
  application?.use(ui.default)
  uiParts.value = ui
  return ui
})

/** Pages of plain parts do not wait for it. */
export function loadUiWhenIdle(): void {
  void whenIdle().then(loadUi).catch(noteUnloaded)
}

/** For the frame around the pages; pages themselves have `useToasts`. */
export async function showToast(toast: Partial<Toast>): Promise<void> {
  const { useToast } = await loadUi()
  const { add } = application ? application.runWithContext(() => useToast()) : useToast()
  add(toast)
}
