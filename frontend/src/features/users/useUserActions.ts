/** Decisions about a person, each asked once with what follows, then told. */
import { useI18n } from 'vue-i18n'
import type { UserAccount } from '@/shared/api/types'
import { useConfirm } from '@/shared/composables/useConfirm'
import { useDialog } from '@/shared/composables/useDialog'
import { useToasts } from '@/shared/composables/useToasts'
import type { Block } from '@/shared/api/generated'
import { useDecisions, type Decision } from './useUsers'

export type Verb = 'approve' | 'reject' | 'block' | 'unblock'

export function useUserActions() {
  const { t } = useI18n()
  const confirm = useConfirm()
  const toasts = useToasts()
  const dialog = useDialog()
  const decisions = useDecisions()

  async function run(person: UserAccount, decision: Decision): Promise<void> {
    try {
      await decisions.mutateAsync({ id: person.id, ...decision })
      toasts.success(t(`users.told.${decision.verb}`, { name: `${person.firstname} ${person.lastname}` }))
    } catch (error) {
      toasts.error(error)
    }
  }

  async function block(person: UserAccount): Promise<void> {
    const name = `${person.firstname} ${person.lastname}`
    const send = (values: Block) => decisions.mutateAsync({ id: person.id, verb: 'block', ...values })
    if (await dialog(() => import('./components/BlockDialog.vue'), { name, role: person.role, block: send }))
      toasts.success(t('users.told.block', { name }))
  }

  async function decide(person: UserAccount, verb: Verb): Promise<void> {
    const name = `${person.firstname} ${person.lastname}`
    if (verb === 'block') return block(person)
    const reviewed = { document_id: person.document?.id ?? null }
    if (verb === 'approve') return run(person, { verb, ...reviewed })
    if (verb === 'reject') {
      const answer = await confirm({
        title: t('professionals.queue.rejectTitle', { name }),
        follows: t('professionals.queue.rejectFollows'),
        action: t('professionals.queue.reject'),
        danger: true,
        reason: {
          label: t('professionals.queue.reason'),
          min: 3,
          max: 500,
          hint: t('professionals.queue.reasonHint'),
        },
      })
      return answer ? run(person, { verb, reason: answer.reason, ...reviewed }) : undefined
    }
    const answer = await confirm({
      title: t('users.unblockTitle', { name }),
      follows: t('users.unblockFollows'),
      action: t('users.verbs.unblock'),
    })
    return answer ? run(person, { verb }) : undefined
  }

  async function endSessions(person: UserAccount): Promise<void> {
    const name = `${person.firstname} ${person.lastname}`
    const answer = await confirm({
      title: t('users.endTitle', { name }),
      follows: t('users.endFollows'),
      action: t('users.verbs.end_sessions'),
      danger: true,
    })
    if (answer) await run(person, { verb: 'end_sessions' })
  }

  const expiry = (person: UserAccount, at: string | null) =>
    run(person, { verb: 'expiry', approval_expires_at: at })
  return { decide, endSessions, expiry, busy: decisions.isPending }
}
