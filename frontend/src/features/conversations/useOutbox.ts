/** Messages on their way: kept in this tab until the server has them, each sent under a key of its own, so that none is doubled. */
import { reactive } from 'vue'
import { createRequestMessageMutation } from '@/shared/api/generated'
import { toProblem } from '@/shared/api/problem'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { useDraft } from '@/shared/composables/useDraft'
import { useToasts } from '@/shared/composables/useToasts'
import { uuid } from '@/shared/lib/uuid'

export interface Unsent {
  key: string
  body: string
}

/** Whether the same message may still arrive, or be sent again: there was no answer, or not a final one. */
export function isOpen(status: number, code: string): boolean {
  return status === 0 || status >= 500 || status === 429 || code === 'still_running'
}

export function useOutbox(requestId: number, professionalId: number, onSent: () => unknown) {
  const toasts = useToasts()
  const state = reactive({ text: '', unsent: [] as Unsent[] })
  useDraft(`conversation-${requestId}-${professionalId}`, state)
  const flags = reactive({ sending: false, stuck: state.unsent.length > 0 })
  const create = useApiMutation(createRequestMessageMutation(), { invalidates: ['Conversations'] })

  let isBack = false // whether the connection came back while an attempt was under way

  /** Send what waits, in its order; what comes after a message that did not arrive waits with it. */
  async function flush(): Promise<void> {
    if (flags.sending) return
    isBack = false
    flags.sending = true
    flags.stuck = false
    try {
      for (let one = state.unsent[0]; one; one = state.unsent[0]) {
        await create.send({
          path: { request_id: requestId },
          body: { body: one.body, professional_id: professionalId },
          headers: { 'Idempotency-Key': one.key },
        })
        state.unsent.shift()
        onSent()
      }
    } catch (error) {
      const { status, code } = toProblem(error)
      if (isOpen(status, code)) flags.stuck = true
      else giveBack(error)
    } finally {
      flags.sending = false
    }
    if (flags.stuck && isBack) await flush()
  }

  /** The connection is back: send what waits. An attempt that began without it may still fail; then another follows. */
  function resume(): void {
    isBack = true
    if (state.unsent.length) void flush()
  }

  /** The server refused it: the text goes back into the field, to be changed or copied. */
  function giveBack(error: unknown): void {
    state.text = [...state.unsent.map(({ body }) => body), state.text].filter(Boolean).join('\n')
    state.unsent = []
    toasts.error(error)
  }

  function send(): Promise<void> {
    const body = state.text.trim()
    if (!body) return Promise.resolve()
    state.unsent.push({ key: uuid(), body })
    state.text = ''
    return flush()
  }
  return { state, flags, send, flush, resume }
}
