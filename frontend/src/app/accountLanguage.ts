/** Saves the language of an account, for emails and for other devices; loaded when there is something to save. */
import { updateMe } from '@/shared/api/generated'
import { useProblem } from '@/shared/composables/useProblem'
import type { Language } from '@/shared/lib/i18n'
import { useSession } from '@/shared/session/store'
import { showToast } from './useUi'

export async function saveLanguage(code: Language): Promise<void> {
  useSession().update((await updateMe({ body: { language: code } })).data)
}

export async function reportUnsaved(error: unknown): Promise<void> {
  const { code, title } = useProblem().tell(error)
  if (code !== 'account_changed') await showToast({ title, color: 'error', icon: 'i-lucide-circle-alert' })
}
