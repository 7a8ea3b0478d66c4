/** What a field takes from the PlainField or Nuxt UI's form field around it: id, name, error; and what it tells the form. */
import {
  formBusInjectionKey,
  formFieldInjectionKey,
  inputIdInjectionKey,
} from '@nuxt/ui/runtime/composables/useFormField.js'
import { computed, inject } from 'vue'

interface Around {
  name?: string
  error?: string | boolean
  hint?: string
  help?: string
  ariaId: string
}
interface Props {
  id?: string
  name?: string
}

export function useField(props: Props) {
  const bus = inject(formBusInjectionKey, undefined) as { emit: (event: object) => void } | undefined
  const field = inject(formFieldInjectionKey, undefined) as { value: Around } | undefined
  const inputId = inject(inputIdInjectionKey, undefined)
  if (field && inputId && props.id) inputId.value = props.id

  const tell = (type: 'blur' | 'change' | 'input') => {
    if (field?.value.name) bus?.emit({ type, name: field.value.name })
  }
  const wrong = computed(() => Boolean(field?.value.error))
  const attributes = computed(() => {
    if (!field) return {}
    const { ariaId } = field.value
    const about = (['error', 'hint', 'help'] as const).filter((part) => field.value[part])
    return {
      'aria-invalid': wrong.value,
      ...(about.length && { 'aria-describedby': about.map((part) => `${ariaId}-${part}`).join(' ') }),
    }
  })
  return {
    id: computed(() => props.id ?? inputId?.value),
    name: computed(() => props.name ?? field?.value.name),
    wrong,
    attributes,
    tell,
  }
}
