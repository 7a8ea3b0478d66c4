/** A form filled from what is stored, which follows changes made on another device until something is entered. */
import { ref, watch, type Ref } from 'vue'

/**
 * @param stored what the form shows; undefined until it has been read.
 * @param valuesOf the fields of the form; those that are left out stay as they are.
 * @returns `ready`, and `filled` for AppForm: what was filled in is no unsaved change.
 */
export function useFilled<S extends object, T>(
  state: S,
  stored: () => T | undefined,
  valuesOf: (stored: T) => Partial<S>,
): { ready: Ref<boolean>; filled: Ref<string | undefined> } {
  const ready = ref(false)
  const filled = ref<string>()
  watch(
    stored,
    (now) => {
      if (now === undefined) return
      const shown = JSON.stringify(state)
      const values = valuesOf(now)
      const isSaved = JSON.stringify({ ...state, ...values }) === shown
      // What is being changed must not be taken away by a later reading.
      if (ready.value && !isSaved && shown !== filled.value) return
      Object.assign(state, values)
      filled.value = JSON.stringify(state)
      ready.value = true
    },
    { immediate: true },
  )
  return { ready, filled }
}
