/** Keeps what is typed in this tab until it is sent, through reloads and a sign-in in between. Never for passwords. */
import { watch } from 'vue'

export function useDraft<T extends object>(name: string, state: T, leaveOut: readonly (keyof T)[] = []) {
  const key = `doorstep-draft:${name}`
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(key) ?? 'null')
    if (typeof kept === 'object' && kept !== null) {
      for (const field of Object.keys(state)) if (field in kept) Object.assign(state, { [field]: (kept as T)[field as keyof T] })
    }
  } catch {
    sessionStorage.removeItem(key)
  }

  const stop = watch(
    () => state,
    (now) => {
      const kept = Object.fromEntries(Object.entries(now).filter(([field]) => !leaveOut.includes(field as keyof T)))
      sessionStorage.setItem(key, JSON.stringify(kept))
    },
    { deep: true },
  )

  return {
    /** What was typed has arrived: nothing is kept any more. */
    discard: () => {
      stop()
      sessionStorage.removeItem(key)
    },
  }
}
