/** The document's title follows the page's heading. */
import { onScopeDispose, toValue, watchEffect, type MaybeRefOrGetter } from 'vue'

export const brand = 'Doorstep'

export function setDocumentTitle(title: string): void {
  document.title = title ? `${title} · ${brand}` : brand
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
