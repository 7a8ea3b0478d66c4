/** Another account signed in over an open page, or in another tab: nothing of the earlier one stays, and the user is told. */
import { nextTick, ref, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRouter } from 'vue-router'
import { homeOf, useSession } from '@/shared/session/store'
import { showToast } from './useUi'

export function useAccountSwitch() {
  const session = useSession()
  const router = useRouter()
  const { t } = useI18n()
  /** True while no page may show: the old one is not this account's, the new one is on its way. */
  const switching = ref(false)

  async function goHome(): Promise<void> {
    switching.value = true
    await nextTick()
    await router.replace(homeOf(session.user)).catch(() => undefined)
    switching.value = false
    await nextTick()
    // The page that had the focus is gone.
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
    if (!session.user) return
    const { firstname, lastname } = session.user
    await showToast({
      title: t('nav.switched', { name: `${firstname} ${lastname}`.trim() }),
      description: t('nav.switchedHint'),
      color: 'info',
      icon: 'i-lucide-circle-alert',
      duration: 30_000,
    })
  }

  watch(
    () => session.user?.id,
    (id, before) => {
      if (id !== undefined && before !== undefined) void goHome()
    },
    { flush: 'sync' },
  )
  return { switching }
}
