/** Asks once before something that cannot simply be taken back, and says what follows. */
import type { Part } from '@/shared/lib/schema'
import { useDialog } from './useDialog'

export interface Question {
  title: string
  /** What follows when the person goes on. */
  follows: string
  action: string
  /** What stepping back is called, where "Go back" could be taken for leaving. */
  back?: string
  danger?: boolean
  /** Asks for words too: the reason that the other side will read; `field` sets its limits, `usual` ones are a tap away. */
  reason?: { label: string; field: Part; hint?: string; usual?: string[] }
}

/** The reason given (empty where none was asked for), or null when the person stepped back. */
export type Answer = { reason: string } | null

export function useConfirm() {
  const open = useDialog()
  return async (question: Question): Promise<Answer> =>
    (await open(() => import('@/shared/ui/ConfirmDialog.vue'), { question })) ?? null
}
