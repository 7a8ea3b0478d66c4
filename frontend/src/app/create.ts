/** The application with everything but its router, which starts differently in the browser and in the prerendering. */
import { createPinia } from 'pinia'
import { createSSRApp, type App as Application } from 'vue'
import { reportError } from '@/shared/lib/appStatus'
import { connectData } from '@/shared/lib/data'
import { i18n } from '@/shared/lib/i18n'
import App from './App.vue'
import { connectUi } from './useUi'

export function createDoorstep(): Application {
  const app = createSSRApp(App)
  app.config.errorHandler = reportError
  app.use(createPinia())
  app.use(i18n)
  connectData(app)
  connectUi(app)
  return app
}
