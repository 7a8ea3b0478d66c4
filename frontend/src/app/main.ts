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

const app = createApp(App)
app.use(createPinia())
app.use(i18n)
app.use(VueQueryPlugin, { queryClient })
app.use(nuxtUi)
connectSession()

await startLanguage()
app.use(router)
// The first guard waits for the session, so that nobody sees a page or a menu flash that is not theirs.
await router.isReady()
app.mount('#app')
