/** One Idempotency-Key for one order, however often "Send" is pressed, until the order is known to have arrived. */
import { ref, type Ref } from 'vue'
import { toProblem } from '@/shared/api/problem'
import { uuid } from '@/shared/lib/uuid'

/**
 * `key` may be kept in a draft, so that the order is still the same one after a reload.
 *
 * A lost response, a timeout, 409 `still_running` or a 5xx leaves open whether the order arrived: with the same key it counts once.
 * After a refusal the server keeps nothing under the key, so the corrected order is sent under it as well. A new key is made for the
 * next order, and when the server says that an earlier version has arrived under this one.
 */
export function useIdempotencyKey(key: Ref<string> = ref(uuid())) {
  const renew = () => {
    key.value = uuid()
  }

  async function sendOnce<T>(call: (key: string) => Promise<T>): Promise<T> {
    try {
      const response = await call(key.value)
      renew()
      return response
    } catch (error) {
      if (toProblem(error).code === 'idempotency_key_reused') renew()
      throw error
    }
  }
  return { sendOnce }
}
