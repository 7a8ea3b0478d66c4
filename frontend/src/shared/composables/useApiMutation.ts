/** The one way to change something through the API. */
import { useMutation, useQueryClient, type UseMutationOptions } from '@tanstack/vue-query'
import type { Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import type { TextKey } from '@/locales/keys'
import { assertCurrent, currentIdentity } from '@/shared/api/identity'
import { invalidate, type Tag } from '@/shared/api/invalidate'
import { useIdempotencyKey } from './useIdempotencyKey'
import { useToasts } from './useToasts'

interface Mutation<TData, TVariables> {
  mutationFn: (variables: TVariables) => Promise<TData>
  meta?: { tags?: readonly Tag[] }
}

interface Options<TData, TVariables> {
  /** The message after success: the key of a text, or a function that returns the words. */
  success?: TextKey | ((data: TData, variables: TVariables) => string)
  /** Tags whose queries are read again, also after a failure; those of the operation where left out. */
  invalidates?: readonly Tag[]
  /** Send an Idempotency-Key. A ref keeps the key in a draft, so that it outlives a reload. */
  idempotent?: boolean | Ref<string>
  onSuccess?: (data: TData, variables: TVariables) => unknown
}

/**
 * Wrap a generated mutation (`createRequestMutation()`), or a `mutationFn` that chooses among several calls.
 *
 * A response that arrives after a change of account is dropped: no message, no cache update (identity.ts).
 *
 * @returns `send` for forms: it throws, and the form shows the error at its fields. `run` for buttons: it reports the error
 * and returns whether the call succeeded.
 */
export function useApiMutation<TData, TError, TVariables>(
  options: UseMutationOptions<TData, TError, TVariables>,
  { success, invalidates, idempotent = false, onSuccess }: Options<TData, TVariables> = {},
) {
  const { t } = useI18n()
  const client = useQueryClient()
  const toasts = useToasts()
  const { mutationFn, meta } = options as Mutation<TData, TVariables>
  const tags = invalidates ?? meta?.tags ?? []
  const { sendOnce } = useIdempotencyKey(typeof idempotent === 'boolean' ? undefined : idempotent)

  function call(variables: TVariables): Promise<TData> {
    if (idempotent === false) return mutationFn(variables)
    const { headers } = variables as { headers?: object }
    return sendOnce((key) => mutationFn({ ...variables, headers: { ...headers, 'Idempotency-Key': key } }))
  }

  const mutation = useMutation<TData, unknown, TVariables>({
    mutationFn: async (variables) => {
      const caller = currentIdentity()
      const data = await call(variables)
      assertCurrent(caller)
      return data
    },
    onSuccess: async (data, variables) => {
      await onSuccess?.(data, variables)
      if (success) toasts.success(typeof success === 'string' ? t(success) : success(data, variables))
    },
    onSettled: () => (tags.length ? invalidate(client, tags) : undefined),
  })
  const send = (variables: TVariables): Promise<TData> => mutation.mutateAsync(variables)

  async function run(variables: TVariables): Promise<boolean> {
    try {
      await send(variables)
      return true
    } catch (error) {
      toasts.error(error)
      return false
    }
  }
  return { send, run, isPending: mutation.isPending, variables: mutation.variables }
}
