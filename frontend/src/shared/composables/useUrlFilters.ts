/** Filters kept in the URL, so that a link shows the same list and Back returns to it. */
import { refDebounced } from '@vueuse/core'
import { computed, ref, watch, type Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { isDay } from '@/shared/lib/marketTime'

/** `others`: parts of the query that narrow nothing. */
export function useUrlFilters(others: readonly string[] = []) {
  const route = useRoute()
  const router = useRouter()

  const text = (name: string): string | undefined => {
    const value = route.query[name]
    return typeof value === 'string' && value.trim() ? value.trim() : undefined
  }
  const number = (name: string): number | undefined =>
    /^\d{1,15}$/.test(text(name) ?? '') ? Number(text(name)) : undefined
  const day = (name: string): string | undefined => (isDay(text(name)) ? text(name) : undefined)
  const oneOf = <T extends string>(name: string, choices: readonly T[]): T | undefined =>
    choices.find((choice) => choice === text(name))

  function set(changes: Record<string, string | number | undefined>): void {
    const query = Object.entries({ ...route.query, ...changes }).filter(
      ([, value]) => value !== undefined && value !== '' && value !== null,
    )
    void router.replace({
      path: route.path,
      query: Object.fromEntries(
        query.map(([name, value]) => [name, Array.isArray(value) ? value : String(value)]),
      ),
    })
  }

  /** What is typed into a search field: in the address once one stops typing. */
  function typed(name: string): Ref<string> {
    const field = ref(text(name) ?? '')
    const settled = refDebounced(field, 300)
    watch(settled, (value) => {
      if (value.trim() !== (text(name) ?? '')) set({ [name]: value.trim() })
    })
    watch(
      () => text(name) ?? '',
      (value) => {
        if (value !== settled.value.trim()) field.value = value
      },
    )
    return field
  }

  const narrowed = computed(() => Object.keys(route.query).some((name) => !others.includes(name)))
  const clear = () => void router.replace({ path: route.path, query: {} })
  return { text, number, day, oneOf, set, typed, narrowed, clear }
}
