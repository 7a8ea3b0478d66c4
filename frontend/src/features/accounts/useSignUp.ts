/** Signing up leads straight in: the account is made, then signed in with what was just typed. */
import { addCustomer, addProfessional } from '@/shared/api/generated'
import { http } from '@/shared/api/http'
import type { Account } from '@/shared/api/types'
import { fields, z } from '@/shared/lib/schema'
import { useSession } from '@/shared/session/store'

export const customerSchema = z.object({
  username: fields.username(),
  password: fields.password(),
  firstname: fields.name(),
  lastname: fields.name(),
  email: fields.email(),
  phone: fields.phone(),
  address: fields.address(),
  pincode: fields.pincode(),
})

export const professionalSchema = customerSchema.extend({
  compname: fields.name(),
  exp: fields.exp(),
  task_ids: z.array(z.number()),
})

export type CustomerSignUp = z.infer<typeof customerSchema>
export type ProfessionalSignUp = z.infer<typeof professionalSchema>

/** A phone left empty is left out: it is the only field that may be. */
export function given<T extends { phone?: string | undefined }>({ phone, ...values }: T) {
  return { ...values, ...(phone && { phone }) }
}

export function multipart(values: ProfessionalSignUp, document: File): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(given(values))) {
    for (const one of Array.isArray(value) ? value : [value]) form.append(name, String(one))
  }
  form.append('document', document)
  return form
}

export function useSignUp() {
  const session = useSession()

  async function enter({ username, password }: { username: string; password: string }): Promise<Account> {
    return session.signIn({ username, password })
  }

  return {
    customer: async (values: CustomerSignUp): Promise<Account> => {
      await addCustomer({ body: given(values) })
      return enter(values)
    },
    professional: async (values: ProfessionalSignUp, document: File | null): Promise<Account> => {
      // The multipart form of the call repeats task_ids, which the generated client would send as one list.
      if (document) await http.post<Account>('/add_professional', multipart(values, document))
      else await addProfessional({ body: given(values) })
      return enter(values)
    },
  }
}
