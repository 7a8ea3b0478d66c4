import '@/styles/main.css'
import nuxtUi from '@nuxt/ui/vue-plugin'
import { VueQueryPlugin } from '@tanstack/vue-query'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n, startLanguage } from './i18n'
import { queryClient } from './query'
import { router } from './router'
import { connectSession } from './session'

/** Between two steps the browser may answer a touch: in one go they hold up a slow phone. */
const breath = () => new Promise((resolve) => setTimeout(resolve))

const app = createApp(App)
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
// What was drawn ahead (scripts/pages.mjs) could not be used yet; the same page takes its place.
document.getElementById('app')?.removeAttribute('inert')
app.mount('#app')
