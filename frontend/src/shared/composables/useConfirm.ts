/** Asks once before something that cannot simply be taken back, and says what follows. */
import { useOverlay } from '@nuxt/ui/composables'
import { defineAsyncComponent } from 'vue'

export interface Question {
  title: string
  /** What follows when the person goes on. */
  follows: string
  action: string
  danger?: boolean
  /** Asks for words too: the reason that the other side will read; `usual` ones are a tap away. */
  reason?: { label: string; min: number; max: number; hint?: string; usual?: string[] }
}

/** The reason given (empty where none was asked for), or null when the person stepped back. */
export type Answer = { reason: string } | null

const ConfirmDialog = defineAsyncComponent(() => import('@/shared/ui/ConfirmDialog.vue'))

export function useConfirm() {
  const overlay = useOverlay()
  return async (question: Question): Promise<Answer> => {
    const dialog = overlay.create(ConfirmDialog, { destroyOnClose: true, props: { question } })
    return ((await dialog.open().result) as Answer | undefined) ?? null
  }
}
