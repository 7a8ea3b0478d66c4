/** Visits: what other features may use, loaded when it is shown. */
import { defineAsyncComponent } from 'vue'

export const VisitPanel = defineAsyncComponent(() => import('./components/VisitPanel.vue'))
export { visitIcons } from './visit'
