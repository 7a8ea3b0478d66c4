/** Actions on a request: confirms those with consequences and reports the result. */
import { useI18n } from 'vue-i18n'
import type { TaskRequest } from '@/shared/api/types'
import { useConfirm, type Question } from '@/shared/composables/useConfirm'
import { useToasts } from '@/shared/composables/useToasts'
import { loadVisitQueue } from '@/features/visits'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { useSession } from '@/shared/session/store'
import { requestTags, useActOnRequest, type Verb } from './useRequests'

/** The others are done at once. */
type Asked = Exclude<Verb, 'accept' | 'complete'>
const dangerous: readonly Verb[] = ['release', 'cancel']
/** The limits of what is typed, loaded when something is asked. */
const loadFields = () => import('./reasonFields')

/** A professional may complete the work where there is no connection: it is sent later. */
function useCompletion() {
  const { t } = useI18n()
  return useApiMutation(
    {
      mutationFn: async (request: TaskRequest) =>
        (await loadVisitQueue()).takeStep(request, { action: 'complete' }),
    },
    {
      invalidates: requestTags,
      success: (outcome) =>
        t(outcome === 'sent' ? 'requests.actions.complete.done' : 'requests.actions.complete.kept'),
    },
  )
}

export function useRequestActions() {
  const { t } = useI18n()
  const session = useSession()
  const completion = useCompletion()
  const confirm = useConfirm()
  const toasts = useToasts()
  const { run: send } = useActOnRequest()

  async function reasonFor(verb: Asked): Promise<Question['reason']> {
    const fields = await loadFields()
    if (verb === 'close') return { label: t('requests.actions.closing'), field: fields.remarks }
    return {
      label: t('requests.actions.reason'),
      field: fields.reasons[verb],
      hint: t(`requests.actions.${verb}.who`),
    }
  }

  async function question(request: TaskRequest, verb: Asked): Promise<Question> {
    return {
      title: t(`requests.actions.${verb}.ask`, { task: request.task_name }),
      follows: t(`requests.actions.${verb}.follows`),
      action: t(`requests.actions.${verb}.label`),
      danger: dangerous.includes(verb),
      reason: await reasonFor(verb),
    }
  }

  /** The words to send along, or null when the person stepped back. */
  async function wordsFor(request: TaskRequest, verb: Verb): Promise<string | null> {
    if (verb === 'complete' || verb === 'accept') return ''
    return (await confirm(await question(request, verb)))?.reason ?? null
  }

  async function run(request: TaskRequest, verb: Verb, words: string): Promise<boolean> {
    if (verb === 'complete' && session.role === 'professional') return completion.run(request)
    if (!(await send({ id: request.id, verb, words }))) return false
    // What does not quite fit stood beside the button; it is said once more where it can be undone.
    const misfits =
      verb === 'accept'
        ? (request.warnings ?? []).map((warning) => `${t(`requests.warnings.${warning}`)}.`)
        : []
    const done = [t(`requests.actions.${verb}.done`), ...misfits].join(' ')
    if (verb === 'accept')
      toasts.undoable(
        done,
        t('requests.actions.undo.label'),
        () => void run(request, 'release', t('requests.actions.undo.reason')),
      )
    else toasts.success(done)
    return true
  }

  /** True when it was done; asks for words where none are given and some are needed. */
  return async (request: TaskRequest, verb: Verb, given?: string): Promise<boolean> => {
    const words = given ?? (await wordsFor(request, verb))
    return words === null ? false : run(request, verb, words)
  }
}
