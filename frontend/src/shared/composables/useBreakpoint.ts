/** Whether the window is at least this wide, for what a narrow screen need not even render. Widths are Tailwind's. */
import { onMounted, onUnmounted, ref, type Ref } from 'vue'

const widths = { sm: '40rem', lg: '64rem' } as const

/** False until the page is mounted: a prerendered page knows no width. */
export function useBreakpoint(name: keyof typeof widths): Ref<boolean> {
  const wide = ref(false)
  let query: MediaQueryList | undefined
  const look = () => {
    wide.value = query?.matches === true
  }
  onMounted(() => {
    query = window.matchMedia(`(min-width: ${widths[name]})`)
    query.addEventListener('change', look)
    look()
  })
  onUnmounted(() => query?.removeEventListener('change', look))
  return wide
}
