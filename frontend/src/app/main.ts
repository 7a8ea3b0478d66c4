import '@/styles/main.css'
import nuxtUi from '@nuxt/ui/vue-plugin'
import { VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { reportError, watchAppStatus } from '@/shared/lib/appStatus'
import App from './App.vue'
import { i18n, startLanguage } from '@/shared/lib/i18n'
import { queryClient } from './query'
import { router } from './router'
import { connectLiveUpdates } from './liveUpdates'
import { connectSession } from './session'
import { takeOver } from './takeOver'

/** Between two steps the browser may answer a touch: in one go they hold up a slow phone. */
const breath = () => new Promise((resolve) => setTimeout(resolve))

async function start(): Promise<void> {
  const app = createApp(App)
  app.config.errorHandler = reportError
  app.use(createPinia())
  app.use(i18n)
  app.use(VueQueryPlugin, { queryClient })
  app.use(nuxtUi)
  connectSession()

  await startLanguage()
  await breath()
  app.use(router)
  // The first guard waits for the session, so that nobody sees a page or a menu flash that is not theirs.
  await router.isReady()
  await breath()
  const root = document.getElementById('app')
  if (root) await takeOver(root, () => app.mount(root))
  app.runWithContext(connectLiveUpdates)
}

watchAppStatus()
try {
  await start()
} catch (error) {
  reportError(error)
  // index.html says so, with a way to load the page again.
  window.dispatchEvent(new Event('doorstep:unstarted'))
}
