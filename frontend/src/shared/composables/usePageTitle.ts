/** The document's title follows the page's heading. */
import { toValue, watchEffect, type MaybeRefOrGetter } from 'vue'

export const brand = 'Doorstep'

export function setDocumentTitle(title: string): void {
  document.title = title ? `${title} · ${brand}` : brand
}

export function usePageTitle(title: MaybeRefOrGetter<string | undefined>): void {
  watchEffect(() => {
    const text = toValue(title)
    if (text) setDocumentTitle(text)
  })
}
