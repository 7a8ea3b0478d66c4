/** Light, dark, or as the device has it; index.html sets the same before the first paint. */
import { onMounted, ref } from 'vue'
import { local } from '@/shared/lib/storage'

export type Theme = 'light' | 'dark' | 'system'
const key = 'doorstep-theme'
/** 'system' until the page is mounted: a prerendered page does not know what was chosen. */
const theme = ref<Theme>('system')
let device: MediaQueryList | undefined

function apply(): void {
  const dark = theme.value === 'dark' || (theme.value === 'system' && device?.matches === true)
  document.documentElement.classList.toggle('dark', dark)
  document.documentElement.classList.toggle('light', !dark)
}

function start(): void {
  const stored = local.get(key)
  theme.value = stored === 'light' || stored === 'dark' ? stored : 'system'
  if (device) return
  device = window.matchMedia('(prefers-color-scheme: dark)')
  device.addEventListener('change', apply)
}

export function useTheme() {
  onMounted(start)
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
