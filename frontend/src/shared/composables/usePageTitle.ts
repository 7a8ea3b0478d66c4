/** The document's title follows the page's heading. */
import { onScopeDispose, toValue, watchEffect, type MaybeRefOrGetter } from 'vue'

export const brand = 'Doorstep'

/** The last title that was set, for where there is no document: the prerendered pages. */
let latest = brand
export const documentTitle = (): string => latest

export function setDocumentTitle(title: string): void {
  latest = title ? `${title} · ${brand}` : brand
  if (!import.meta.env.SSR) document.title = latest
}

/** Parts of the page shown that have given the document its title. */
const owners = new Set<symbol>()
export const hasOwnTitle = (): boolean => owners.size > 0

export function usePageTitle(title: MaybeRefOrGetter<string | undefined>): void {
  const owner = Symbol('title')
  watchEffect(() => {
    const text = toValue(title)
    if (!text) return
    owners.add(owner)
    setDocumentTitle(text)
  })
  onScopeDispose(() => owners.delete(owner))
}
