/** Nuxt UI and what its parts expect around them: loaded with the first page that is made of them, which the public pages are not. */
import { localeContextInjectionKey } from '@nuxt/ui/runtime/composables/useLocale.js'
import { portalTargetInjectionKey } from '@nuxt/ui/runtime/composables/usePortal.js'
import { useToast } from '@nuxt/ui/runtime/composables/useToast.js'
import uiEn from '@nuxt/ui/runtime/locale/en.js'
import nuxtUi from '@nuxt/ui/vue-plugin'
import { ref, shallowRef, watch, type App } from 'vue'
import { i18n } from '@/shared/lib/i18n'
import UiFrame from './UiFrame.vue'
import UiOverlays from './UiOverlays.vue'

export { UiFrame, UiOverlays, useToast }

/** Of languages that Nuxt UI knows; others have its English. */
const locales = import.meta.glob<typeof uiEn>('../locales/*/ui.ts', { import: 'default' })

function install(app: App): void {
  const uiLocale = shallowRef(uiEn)
  watch(
    i18n.global.locale,
    async (code) => {
      uiLocale.value = (await locales[`../locales/${code}/ui.ts`]?.()) ?? uiEn
    },
    { immediate: true },
  )
  app.use(nuxtUi)
  app.provide(localeContextInjectionKey, uiLocale)
  app.provide(portalTargetInjectionKey, ref('body'))
}

export default { install }
