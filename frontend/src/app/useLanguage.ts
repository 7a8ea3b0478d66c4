import { updateMe } from '@/shared/api/generated'
import { useToasts } from '@/shared/composables/useToasts'
import { setLanguage, type Language } from '@/shared/lib/i18n'
import { useSession } from '@/shared/session/store'
import { queryClient } from './query'

/**
 * Texts come over the network: when they do not arrive, the page stays as it was and says so. The account of a signed-in
 * user keeps the language, for emails and for other devices; what the server worded is loaded again.
 */
export function useLanguage() {
  const { error: failed } = useToasts()
  const session = useSession()

  async function change(code: Language): Promise<void> {
    await setLanguage(code)
    if (session.user && session.user.language !== code)
      session.update((await updateMe({ body: { language: code } })).data)
    await queryClient.invalidateQueries()
  }
  return { choose: (code: Language) => change(code).catch(failed) }
}
