import { useToasts } from '@/shared/composables/useToasts'
import { setLanguage, type Language } from '@/shared/lib/i18n'

/** Texts come over the network: when they do not arrive, the page stays as it was and says so. */
export function useLanguage() {
  const { error: failed } = useToasts()
  return { choose: (code: Language) => setLanguage(code).catch(failed) }
}
