/** Looks again at work that runs elsewhere for as long as it runs, ever later while nothing moves, and not while nobody sees it. */
import { onScopeDispose, watch } from 'vue'
import { backOff } from '@/shared/lib/backOff'

/** `pulse`: what the running work looks like as text, null when none runs. */
export function usePulse(pulse: () => string | null, look: () => Promise<unknown>): void {
  const next = backOff()
  let timer: number | undefined

  function plan(): void {
    window.clearTimeout(timer)
    const wait = next(pulse())
    timer = wait === false ? undefined : window.setTimeout(() => void again(), wait)
  }
  async function again(): Promise<void> {
    if (!document.hidden) await look().catch(() => undefined)
    plan()
  }
  watch(
    () => pulse() !== null,
    (runs) => {
      if (runs && timer === undefined) plan()
    },
    { immediate: true },
  )
  onScopeDispose(() => window.clearTimeout(timer))
}
