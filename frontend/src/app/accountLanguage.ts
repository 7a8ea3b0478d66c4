/** The language of an account, which it keeps for emails and for other devices; loaded with the first account. */
import { updateMe } from '@/shared/api/generated'
import { useProblem } from '@/shared/composables/useProblem'
import { available, hasChosen, i18n, setLanguage, type Language } from '@/shared/lib/i18n'
import { useSession } from '@/shared/session/store'
import { showToast } from './useUi'

export async function saveLanguage(code: Language): Promise<void> {
  useSession().update((await updateMe({ body: { language: code } })).data)
}

export async function reportUnsaved(error: unknown): Promise<void> {
  const { code, title } = useProblem().tell(error)
  if (code !== 'account_changed') await showToast({ title, color: 'error', icon: 'i-lucide-circle-alert' })
}

/**
 * On a device where none was chosen, the account's language is taken; without its texts the page stays in the one it has.
 * An account that never chose one gets the page's.
 */
export async function takeLanguage(): Promise<void> {
  const { user } = useSession()
  const page = available.find((one) => one === i18n.global.locale.value)
  if (user?.language === null && page) await saveLanguage(page)
  const code = available.find((one) => one === user?.language)
  if (code && !hasChosen()) await setLanguage(code)
}
