import { updateMe } from '@/shared/api/generated'
import { useProblem } from '@/shared/composables/useProblem'
import { noteUnloaded } from '@/shared/lib/appStatus'
import { refreshAnswers } from '@/shared/lib/data'
import { setLanguage, type Language } from '@/shared/lib/i18n'
import { useSession } from '@/shared/session/store'
import { showToast } from './useUi'

/**
 * Texts come over the network: when they do not arrive, the page stays as it was and says so. The account of a signed-in
 * user keeps the language, for emails and for other devices; what the server worded is loaded again.
 */
export function useLanguage() {
  const { tell } = useProblem()
  const session = useSession()

  async function save(code: Language): Promise<void> {
    try {
      session.update((await updateMe({ body: { language: code } })).data)
    } catch (error) {
      const { code: failure, title } = tell(error)
      if (failure !== 'account_changed')
        await showToast({ title, color: 'error', icon: 'i-lucide-circle-alert' })
    }
  }

  async function choose(code: Language): Promise<void> {
    try {
      await setLanguage(code)
    } catch (error) {
      noteUnloaded(error)
      return
    }
    if (session.user && session.user.language !== code) await save(code)
    await refreshAnswers()
  }
  return { choose }
}
