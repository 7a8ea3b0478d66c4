/** Opens a dialog that is loaded when it is first needed. */
import { useOverlay } from '@nuxt/ui/composables'
import type { Component } from 'vue'
import { useRouter } from 'vue-router'
import { noteUnloaded } from '@/shared/lib/appStatus'

export function useDialog() {
  const overlay = useOverlay()
  const router = useRouter()

  /** Return what the dialog closes with; undefined when it was left, or could not be loaded, which is then said above the page. */
  return async <T extends Component>(
    load: () => Promise<{ default: T }>,
    props: NonNullable<Parameters<typeof overlay.create<T>>[1]>['props'],
  ) => {
    let part: T
    try {
      part = (await load()).default
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
