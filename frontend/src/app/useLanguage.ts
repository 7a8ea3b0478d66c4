import { noteUnloaded } from '@/shared/lib/appStatus'
import { refreshAnswers } from '@/shared/lib/data'
import { setLanguage, type Language } from '@/shared/lib/i18n'
import { useSession } from '@/shared/session/store'

/**
 * Texts come over the network: when they do not arrive, the page stays as it was and says so. The account of a signed-in
 * user keeps the language, for emails and for other devices; what the server worded is loaded again.
 */
export function useLanguage() {
  const session = useSession()

  async function choose(code: Language): Promise<void> {
    try {
      await setLanguage(code)
    } catch (error) {
      noteUnloaded(error)
      return
    }
    document.documentElement.classList.remove('late-font') // its fonts are not this language's
    if (session.user && session.user.language !== code) {
      const { saveLanguage, reportUnsaved } = await import('./accountLanguage')
      await saveLanguage(code).catch(reportUnsaved)
    }
    await refreshAnswers()
  }
  return { choose }
}
