/** Texts for words of the server, which may know more of them than this page does. */
import { useI18n } from 'vue-i18n'

export function useTextOr() {
  const { t, te } = useI18n()

  /** Return the text of the key; without one, the fallback, which is mostly the server's own word. */
  const textOr = (key: string, fallback: string): string => (te(key) ? t(key) : fallback)

  return { textOr }
}
