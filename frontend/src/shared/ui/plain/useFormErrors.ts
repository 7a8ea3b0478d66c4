/** What a form knows of its fields, under the keys by which Nuxt UI's fields and ours ask for it. */
import {
  formBusInjectionKey,
  formErrorsInjectionKey,
  formInputsInjectionKey,
  formOptionsInjectionKey,
} from '@nuxt/ui/runtime/composables/useFormField.js'
import { computed, provide, ref } from 'vue'
import type { FieldError } from '@/shared/lib/schema'

export type Checked<T> = { output: T; errors?: never } | { output?: never; errors: FieldError[] }
interface FieldEvent {
  type: string
  name?: string
  eager?: boolean
}

/** `validate` says what the form sends, or what is wrong with which fields. */
export function useFormErrors<T>(validate: () => Checked<T>) {
  const errors = ref<FieldError[]>([])
  const left = new Set<string>()

  /** One field after a change of it; the errors of the others stay as they are. */
  function checkField(name: string): void {
    const found = validate().errors ?? []
    const others = errors.value.filter((one) => one.name !== name)
    errors.value = [...others, ...found.filter((one) => one.name === name)]
  }

  /** While a field is typed into for the first time, its text is unfinished, not wrong. */
  function hear({ type, name, eager }: FieldEvent): void {
    if (name === undefined) return
    if (type === 'blur') left.add(name)
    if (type === 'change' || (type === 'input' && (eager === true || left.has(name)))) checkField(name)
  }

  /** Check everything, and show what is wrong. */
  function check(): Checked<T> {
    const checked = validate()
    errors.value = checked.errors ?? []
    return checked
  }

  provide(formErrorsInjectionKey, errors as never)
  provide(formInputsInjectionKey, ref({}) as never)
  provide(formBusInjectionKey, { emit: hear } as never)
  // A late check would take away what the server has said about the field meanwhile.
  provide(formOptionsInjectionKey, computed(() => ({ disabled: false, validateOnInputDelay: 0 })) as never)
  return { errors, check }
}
