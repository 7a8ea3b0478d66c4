/** Asks before typed work is thrown away: by another page, by closing the panel it stands in, or by leaving the application. */
import { onMounted, onScopeDispose } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter, type RouteLocationNormalized } from 'vue-router'
import { useSession } from '@/shared/session/store'
import { useConfirm } from './useConfirm'

/** `panel`: the name in the address under which the form's panel is open, where it stands in one (`usePanel`). */
export function useUnsaved(dirty: () => boolean, panel?: () => string | undefined): void {
  const { t } = useI18n()
  const router = useRouter()
  const session = useSession()
  const confirm = useConfirm()

  function leaves(to: RouteLocationNormalized, from: RouteLocationNormalized): boolean {
    const name = panel?.()
    return to.path !== from.path || (name !== undefined && to.query[name] !== from.query[name])
  }
  // Whose session has ended cannot save any more, and must not be held back.
  const stop = router.beforeEach(async (to, from) => {
    if (!leaves(to, from) || !dirty() || !session.signedIn) return true
    const question = {
      title: t('common.unsaved.title'),
      follows: t('common.unsaved.follows'),
      action: t('common.unsaved.action'),
      back: t('common.unsaved.stay'),
      danger: true,
    }
    return (await confirm(question)) !== null
  })
  function unload(event: BeforeUnloadEvent): void {
    if (dirty()) event.preventDefault()
  }
  onMounted(() => window.addEventListener('beforeunload', unload))
  onScopeDispose(() => {
    stop()
    window.removeEventListener('beforeunload', unload)
  })
}
