/** Keeps what is typed in this tab until it is sent, through reloads and a sign-in in between, for its own account only. Never for passwords. */
import { watch } from 'vue'
import { currentIdentity } from '@/shared/api/identity'
import { tab } from '@/shared/lib/storage'
import { draftKey } from '@/shared/session/kept'

/** A draft may be of a version whose form held something else there. A field that begins empty takes anything. */
function fits(earlier: unknown, now: unknown): boolean {
  if (now === undefined || now === null) return true
  return typeof earlier === typeof now && Array.isArray(earlier) === Array.isArray(now) && earlier !== null
}

export function useDraft<T extends object>(name: string, state: T, leaveOut: readonly (keyof T)[] = []) {
  const { account } = currentIdentity()
  const key = draftKey(name, account)
  let found = false
  try {
    const kept: unknown = JSON.parse(tab.get(key) ?? 'null')
    if (typeof kept === 'object' && kept !== null) {
      found = true
      const earlier = new Map<string, unknown>(Object.entries(kept))
      for (const [field, value] of Object.entries(state))
        if (earlier.has(field) && fits(earlier.get(field), value))
          Object.assign(state, { [field]: earlier.get(field) })
    }
  } catch {
    tab.remove(key)
  }

  const stop = watch(
    () => state,
    (now) => {
      // Signing out clears the drafts; what the page does until it is gone must not bring one back.
      if (currentIdentity().account !== account) return
      const kept = Object.fromEntries(
        Object.entries(now).filter(([field]) => !leaveOut.includes(field as keyof T)),
      )
      tab.set(key, JSON.stringify(kept))
    },
    { deep: true },
  )

  return {
    /** True if the form was started before: the state contains the earlier input. */
    found,
    /** What was typed has arrived: nothing is kept any more. */
    discard: () => {
      stop()
      tab.remove(key)
    },
  }
}
