/** An address for a file that only a call with a token may read, for as long as what shows it is there. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'

export function useObjectUrl(file: Ref<Blob | undefined>) {
  const url = ref<string | null>(null)
  function release(): void {
    if (url.value) URL.revokeObjectURL(url.value)
    url.value = null
  }
  watch(
    file,
    (next) => {
      release()
      if (next) url.value = URL.createObjectURL(next)
    },
    { immediate: true },
  )
  onScopeDispose(release)
  return url
}
