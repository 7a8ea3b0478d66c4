/** Whether the window is at least this wide, for what a narrow screen need not even render. Widths are Tailwind's. */
import { useMediaQuery } from '@vueuse/core'
import type { Ref } from 'vue'

const widths = { sm: '40rem', lg: '64rem' } as const

export function useBreakpoint(name: keyof typeof widths): Ref<boolean> {
  return useMediaQuery(`(min-width: ${widths[name]})`)
}
