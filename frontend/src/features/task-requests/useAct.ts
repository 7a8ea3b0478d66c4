/** Doing something to a request: asks where something follows, says what came of it. */
import { useI18n } from 'vue-i18n'
import type { TaskRequest } from '@/shared/api/types'
import { useConfirm, type Question } from '@/shared/composables/useConfirm'
import { useNotice } from '@/shared/composables/useNotice'
import { useRequestActions, type Verb } from './useRequests'

const withReason: readonly Verb[] = ['reject', 'release', 'cancel']
const dangerous: readonly Verb[] = ['release', 'cancel']

export function useAct() {
  const { t } = useI18n()
  const confirm = useConfirm()
  const notice = useNotice()
  const { act } = useRequestActions()

  function question(request: TaskRequest, verb: Verb): Question {
    return {
      title: t(`requests.actions.${verb}.ask`, { task: request.task_name }),
      follows: t(`requests.actions.${verb}.follows`),
      action: t(`requests.actions.${verb}.label`),
      danger: dangerous.includes(verb),
      ...(withReason.includes(verb) && { reason: { label: t('requests.actions.reason'), min: 3, max: 500, hint: t(`requests.actions.${verb}.who`) } }),
      ...(verb === 'close' && { reason: { label: t('requests.actions.closing'), min: 0, max: 2000 } }),
    }
  }

  /** True when it was done. */
  return async (request: TaskRequest, verb: Verb): Promise<boolean> => {
    const asks = verb !== 'accept' && verb !== 'complete'
    const answer = asks ? await confirm(question(request, verb)) : { reason: '' }
    if (!answer) return false
    try {
      await act.mutateAsync({ id: request.id, verb, words: answer.reason })
      notice.done(t(`requests.actions.${verb}.done`))
      return true
    } catch (error) {
      notice.failed(error)
      return false
    }
  }
}
