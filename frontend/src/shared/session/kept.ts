/**
 * What the browser keeps about its user: drafts in the tab, under the account that typed them, the place searched last, and for
 * pages opened without a connection who is signed in.
 */
import { currentIdentity } from '@/shared/api/identity'
import type { Account } from '@/shared/api/types'
import { local, tab } from '@/shared/lib/storage'

const prefix = 'doorstep-draft:'
const place = 'doorstep-place'
export const accountKey = 'doorstep-account'

export const draftKey = (name: string, account = currentIdentity().account): string =>
  `${prefix}${account ?? 'visitor'}:${name}`

/** Remove all drafts but those of one account, which may come back to them. */
export function dropDrafts(keep?: number): void {
  for (const key of tab.keys())
    if (key.startsWith(prefix) && (keep === undefined || !key.startsWith(draftKey('', keep)))) tab.remove(key)
}

/** The place that was searched last. */
export const rememberedPlace = (): string => local.get(place) ?? ''
export function rememberPlace(typed: string): void {
  if (typed) local.set(place, typed)
}

export const forgetPlace = (): void => local.remove(place)

/** Who was signed in when the server was last asked (app/offline.ts keeps it). */
export function keptAccount(): Account | null {
  try {
    return JSON.parse(local.get(accountKey) ?? 'null') as Account | null
  } catch {
    return null
  }
}
