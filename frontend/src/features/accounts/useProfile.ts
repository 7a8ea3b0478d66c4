/** The user's own account: the editable fields; only changed ones are sent. */
import { updateMeMutation } from '@/shared/api/generated'
import type { updateMeBody } from '@/shared/api/generated/schemas'
import type { Account } from '@/shared/api/types'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import type { v } from '@/shared/lib/schema'
import { useSession } from '@/shared/session/store'

export type Profile = v.InferOutput<typeof updateMeBody>

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? '') === JSON.stringify(b ?? '')

/** Only the fields that differ from the account; an emptied phone goes as null. */
export function changes(account: Account, values: Profile): Profile {
  const changed = Object.entries(values).filter(
    ([field, value]) => value !== undefined && !same(account[field as keyof Account], value),
  )
  return Object.fromEntries(
    changed.map(([field, value]) => [field, field === 'phone' && value === '' ? null : value]),
  )
}

export function useProfile() {
  const session = useSession()
  // Where someone lives, works and what they do decides what is found, offered and waits for them.
  const update = useApiMutation(updateMeMutation(), {
    invalidates: ['Search', 'Tasks', 'Requests', 'Schedule'],
    onSuccess: session.update,
  })

  /** Return whether anything had to be changed. */
  async function save(values: Profile): Promise<boolean> {
    if (!session.user) return false
    const body = changes(session.user, values)
    if (Object.keys(body).length === 0) return false
    await update.send({ body })
    return true
  }
  return { save }
}
