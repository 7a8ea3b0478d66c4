/** Signing up leads straight in: the account is made, then signed in with what was just typed. */
import { addCustomer, addProfessional } from '@/shared/api/generated'
import { addCustomerBody, addProfessionalBody } from '@/shared/api/generated/schemas'
import { KnownProblem, toProblem } from '@/shared/api/problem'
import type { Account } from '@/shared/api/types'
import { useUpload } from '@/shared/composables/useUpload'
import { orEmpty, v } from '@/shared/lib/schema'
import { useSession } from '@/shared/session/store'

export const customerSchema = v.object({
  ...addCustomerBody.entries,
  phone: orEmpty(addCustomerBody.entries.phone),
})
export const professionalSchema = v.object({
  ...addProfessionalBody.entries,
  phone: orEmpty(addProfessionalBody.entries.phone),
})

export type CustomerSignUp = v.InferOutput<typeof customerSchema>
export type ProfessionalSignUp = v.InferOutput<typeof professionalSchema>

export function multipart(values: ProfessionalSignUp, document: File): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(values))
    for (const one of [value ?? []].flat()) form.append(name, String(one))
  form.append('document', document)
  return form
}

/** No answer from the server itself: none at all, or one of a proxy that lost patience. */
const lostAnswers = [0, 502, 504]

export function useSignUp() {
  const session = useSession()
  const { upload, progress } = useUpload()
  /** True once an account may be there although nobody could be told so. */
  let maybeMade = false

  async function enter({ username, password }: CustomerSignUp): Promise<Account> {
    return session.signIn({ username, password })
  }

  /** Makes the account. When the answer was lost, now or the time before, signing in tells whether it was made. */
  async function signUp(values: CustomerSignUp, send: () => Promise<unknown>): Promise<Account> {
    try {
      await send()
    } catch (error) {
      const { status, errors } = toProblem(error)
      const isTaken = 'username' in errors || 'email' in errors
      const isLost = lostAnswers.includes(status)
      const entered = isLost || (maybeMade && isTaken) ? await enter(values).catch(() => null) : null
      maybeMade ||= isLost
      if (entered) return entered
      throw error
    }
    maybeMade = true
    return enter(values).catch(() => {
      throw new KnownProblem('sign_up_done')
    })
  }

  return {
    progress,
    customer: (values: CustomerSignUp): Promise<Account> =>
      signUp(values, () => addCustomer({ body: values })),
    professional: (values: ProfessionalSignUp, document: File | null): Promise<Account> =>
      signUp(values, async () => {
        if (!document) return addProfessional({ body: values })
        const { http } = await import('@/shared/api/http')
        // The multipart form of the call repeats task_ids, which the generated client would send as one list.
        const form = multipart(values, document)
        return upload((options) => http.post<Account>('/add_professional', form, options))
      }),
  }
}
