/** Who does a task, nearest first where there is a pincode. */
import { toValue, type MaybeRefOrGetter } from 'vue'
import { listTaskProfessionalsInfiniteOptions } from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'

export function useTaskProfessionals(
  id: MaybeRefOrGetter<number>,
  pincode: MaybeRefOrGetter<string | undefined>,
  enabled: MaybeRefOrGetter<boolean>,
) {
  return useKeysetList(
    () =>
      listTaskProfessionalsInfiniteOptions({
        path: { task_id: toValue(id) },
        query: { pincode: toValue(pincode) || undefined },
      }),
    { enabled },
  )
}
