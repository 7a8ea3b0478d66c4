/**
 * Passing on in one tap. A rejection cannot be taken back once the server has it, so it waits here for as long as the
 * word about it offers to undo it, and goes at once when the page is left.
 */
import { onBeforeUnmount, onMounted, onScopeDispose, reactive } from 'vue'
import { useI18n } from 'vue-i18n'
import { currentIdentity, isCurrent, type Identity } from '@/shared/api/identity'
import { leave } from '@/shared/api/leaving'
import { renewAhead } from '@/shared/api/token'
import type { TaskRequest } from '@/shared/api/types'
import { useConfirm } from '@/shared/composables/useConfirm'
import { useToasts } from '@/shared/composables/useToasts'
import { useSession } from '@/shared/session/store'
import { codes, likely, type Why } from './reasons'
import { useActOnRequest } from './useRequests'

const patience = 6_000

interface Held {
  body: { reason: string; reason_code: (typeof codes)[Why] }
  timer: number
  /** Who declined; nobody else may send it. */
  by: Identity
  /** Takes the word about it away. */
  close: () => void
}

/** Calls `hidden` when the page is put away, which may be the last that is heard of it, and `left` when it goes away for good. */
function useLeaving(hidden: () => unknown, left: () => void): void {
  const hide = () => {
    if (document.visibilityState === 'hidden') void hidden()
  }
  onMounted(() => {
    window.addEventListener('pagehide', left)
    document.addEventListener('visibilitychange', hide)
  })
  onBeforeUnmount(() => {
    window.removeEventListener('pagehide', left)
    document.removeEventListener('visibilitychange', hide)
    void hidden()
  })
}

export function useReject() {
  const { t } = useI18n()
  const toasts = useToasts()
  const confirm = useConfirm()
  const { run } = useActOnRequest()
  const waiting = new Map<number, Held>()
  /** What the list no longer shows: held here, or on its way. */
  const hidden = reactive(new Set<number>())

  async function send(id: number): Promise<void> {
    const held = waiting.get(id)
    if (!held) return
    drop(id, held)
    if (!isCurrent(held.by)) return
    await run({ id, verb: 'reject', words: held.body.reason, code: held.body.reason_code })
    hidden.delete(id)
  }

  function drop(id: number, held: Held): void {
    window.clearTimeout(held.timer)
    held.close()
    waiting.delete(id)
  }

  function undo(id: number): void {
    const held = waiting.get(id)
    if (!held) return
    drop(id, held)
    hidden.delete(id)
  }

  function reject(request: TaskRequest, why: Why = likely(request), words?: string): void {
    const { id } = request
    if (hidden.has(id)) return
    hidden.add(id)
    // When the page goes away before the time is up, nobody is left to renew the session and try again.
    void renewAhead(60)
    const close = toasts.undoable(
      t('requests.inbox.passed', { task: request.task_name }),
      t('requests.actions.undo.label'),
      () => undo(id),
      patience,
    )
    const body = { reason: words ?? t(`requests.inbox.reasons.${why}`), reason_code: codes[why] }
    waiting.set(id, {
      body,
      close,
      by: currentIdentity(),
      timer: window.setTimeout(() => void send(id), patience),
    })
  }

  /** With a custom reason, which is asked for first. */
  async function askWhy(request: TaskRequest): Promise<void> {
    const { reasons } = await import('./reasonFields')
    const answer = await confirm({
      title: t('requests.actions.reject.ask', { task: request.task_name }),
      follows: t('requests.actions.reject.follows'),
      action: t('requests.actions.reject.label'),
      reason: {
        label: t('requests.actions.reason'),
        field: reasons.reject,
        hint: t('requests.actions.reject.who'),
      },
    })
    if (answer) reject(request, 'none', answer.reason)
  }

  const sendAll = () => Promise.all([...waiting.keys()].map(send))
  onScopeDispose(useSession().beforeSignOut(sendAll))
  /** The page goes away for good: an ordinary call would be broken off. */
  function leaveAll(): void {
    for (const [id, held] of waiting) {
      drop(id, held)
      if (isCurrent(held.by)) leave(`/requests/${id}/reject`, held.body)
    }
  }
  useLeaving(sendAll, leaveAll)
  return { reject, askWhy, hidden }
}
