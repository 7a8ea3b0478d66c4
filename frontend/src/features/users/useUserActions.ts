/** Decisions about an account: those with consequences are confirmed first, and each is reported. */
import { useI18n } from 'vue-i18n'
import { rejectProfessionalBody } from '@/shared/api/generated/schemas'
import type { UserAccount } from '@/shared/api/types'
import { useConfirm } from '@/shared/composables/useConfirm'
import { useDialog } from '@/shared/composables/useDialog'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import type { Block } from '@/shared/api/generated'
import { decide as call, type Decision } from './useUsers'

/** What an account shows up in, for admins and for others. */
const affected = [
  'Professionals',
  'User administration',
  'Requests',
  'Schedule',
  'Tasks',
  'Search',
  'Dashboard',
  'Audit trail',
] as const
const nameOf = (person: UserAccount) => `${person.firstname} ${person.lastname}`

export type Verb = 'approve' | 'reject' | 'block' | 'unblock'

export function useUserActions() {
  const { t } = useI18n()
  const confirm = useConfirm()
  const dialog = useDialog()
  const {
    run: send,
    send: sendFromForm,
    isPending,
  } = useApiMutation(
    {
      mutationFn: ({ person, ...decision }: { person: UserAccount } & Decision) => call(person.id, decision),
    },
    {
      success: (_, { person, verb }) => t(`users.told.${verb}`, { name: nameOf(person) }),
      invalidates: affected,
    },
  )
  const run = (person: UserAccount, decision: Decision) => send({ person, ...decision })

  async function block(person: UserAccount): Promise<void> {
    const { role } = person
    // Admins cannot be blocked: the action is never offered for them.
    if (role === 'admin') return
    await dialog(() => import('./components/BlockDialog.vue'), {
      name: nameOf(person),
      role,
      block: (values: Block) => sendFromForm({ person, verb: 'block', ...values }),
    })
  }

  async function decide(person: UserAccount, verb: Verb): Promise<unknown> {
    const name = nameOf(person)
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
          field: rejectProfessionalBody.entries.reason,
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
    const answer = await confirm({
      title: t('users.endTitle', { name: nameOf(person) }),
      follows: t('users.endFollows'),
      action: t('users.verbs.end_sessions'),
      danger: true,
    })
    if (answer) await run(person, { verb: 'end_sessions' })
  }

  const expiry = (person: UserAccount, at: string | null) =>
    run(person, { verb: 'expiry', approval_expires_at: at })
  return { decide, endSessions, expiry, busy: isPending }
}
