/** A panel over a page that is open by the address, so that Back closes it and a link can open it. */
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'

/** `name`: the part of the query that holds what the panel shows. */
export function usePanel(name: string) {
  const route = useRoute()
  const router = useRouter()
  const shown = computed(() =>
    typeof route.query[name] === 'string' && route.query[name] ? route.query[name] : undefined,
  )
  const id = computed(() => (/^\d{1,15}$/.test(shown.value ?? '') ? Number(shown.value) : undefined))

  function show(what: string | number): void {
    void router.push({ path: route.path, query: { ...route.query, [name]: String(what) } })
  }
  /** Goes back where the panel was opened from this page, so that Back does not open it again. */
  function hide(): void {
    if (!shown.value) return
    const query = Object.fromEntries(Object.entries(route.query).filter(([key]) => key !== name))
    const without = router.resolve({ path: route.path, query }).fullPath
    if ((router.options.history.state.back as unknown) === without) router.back()
    else void router.replace({ path: route.path, query })
  }
  return { shown, id, show, hide }
}
