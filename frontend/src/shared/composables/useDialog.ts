/** Opens a dialog that is loaded when it is first needed. */
import type { Component } from 'vue'
import { useRouter } from 'vue-router'
import { noteUnloaded } from '@/shared/lib/appStatus'

/** Not a part of the pages that may open a dialog: it brings VueUse along. */
const loadOverlay = () => import('@nuxt/ui/runtime/composables/useOverlay.js')
type Overlay = ReturnType<Awaited<ReturnType<typeof loadOverlay>>['useOverlay']>

export function useDialog() {
  const router = useRouter()

  /** Return what the dialog closes with; undefined when it was left, or could not be loaded, which is then said above the page. */
  return async <T extends Component>(
    load: () => Promise<{ default: T }>,
    props: NonNullable<Parameters<Overlay['create']>[1]>['props'],
  ) => {
    let part: T
    let overlay: Overlay
    try {
      const [loaded, { useOverlay }] = await Promise.all([load(), loadOverlay()])
      part = loaded.default
      overlay = useOverlay()
    } catch (error) {
      noteUnloaded(error)
      return undefined
    }
    const dialog = overlay.create(part, { destroyOnClose: true, props })
    const stop = router.afterEach((to, from, failure) => {
      if (!failure && to.path !== from.path) dialog.close()
    })
    try {
      return await dialog.open().result
    } finally {
      stop()
    }
  }
}
