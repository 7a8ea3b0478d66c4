/** The menu of the signed-in user, built from the routes' meta. */
import { computed, defineAsyncComponent, type Component } from 'vue'
import { useI18n } from 'vue-i18n'
import { useRoute } from 'vue-router'
import { useSession } from '@/shared/session/store'
import { isFrameLoaded } from './frame'
import { featureRoutes } from './router'

export interface NavItem {
  to: string
  icon: string
  label: string
  count?: Component
}

const counts = new Map(
  featureRoutes.flatMap(({ path, meta }) =>
    meta?.nav?.count
      ? [[path, defineAsyncComponent(meta.nav.count as () => Promise<Component>)] as const]
      : [],
  ),
)

export function useNavigation() {
  const session = useSession()
  const { t } = useI18n()

  return computed<NavItem[]>(() => {
    const who = (isFrameLoaded.value && session.role) || 'visitor'
    return featureRoutes
      .flatMap(({ path, meta }) => (meta?.nav?.roles.includes(who) ? [{ path, meta, nav: meta.nav }] : []))
      .filter(({ meta }) => !session.waiting || meta.whileWaiting)
      .sort((a, b) => a.nav.order - b.nav.order)
      .map(({ path, meta, nav }) => ({
        to: path,
        icon: nav.icon,
        label: t(nav.label ?? meta.title),
        count: counts.get(path),
      }))
  })
}

const homes = new Set(['/', '/admin'])

/** Tells whether an entry of the menu has the page that is open. */
export function useCurrentEntry(): (to: string) => boolean {
  const route = useRoute()
  return (to) =>
    route.meta.under
      ? route.meta.under.includes(to)
      : route.path === to || (!homes.has(to) && route.path.startsWith(`${to}/`))
}
