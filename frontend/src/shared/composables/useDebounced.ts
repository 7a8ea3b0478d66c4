/** A ref that follows another one once that has stood still for some milliseconds. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'

export function useDebounced<T>(source: Ref<T>, milliseconds: number): Readonly<Ref<T>> {
  const settled = ref(source.value) as Ref<T>
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(source, (value) => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      settled.value = value
    }, milliseconds)
  })
  onScopeDispose(() => clearTimeout(timer))
  return settled
}
