/** Light, dark, or as the device has it; index.html sets the same before the first paint. */
import { ref } from 'vue'
import { local } from '@/shared/lib/storage'

export type Theme = 'light' | 'dark' | 'system'
const key = 'doorstep-theme'
const prefersDark = window.matchMedia('(prefers-color-scheme: dark)')

const stored = local.get(key)
const theme = ref<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system')

function apply(): void {
  const dark = theme.value === 'dark' || (theme.value === 'system' && prefersDark.matches)
  document.documentElement.classList.toggle('dark', dark)
  document.documentElement.classList.toggle('light', !dark)
}
prefersDark.addEventListener('change', apply)

export function useTheme() {
  return {
    theme,
    setTheme: (next: Theme) => {
      theme.value = next
      if (next === 'system') local.remove(key)
      else local.set(key, next)
      apply()
    },
  }
}
