/** Visits: what other features may use, loaded when it is shown. */
import { defineAsyncComponent } from 'vue'

export const VisitPanel = defineAsyncComponent(() => import('./components/VisitPanel.vue'))
export const UnsentMark = defineAsyncComponent(() => import('./components/UnsentMark.vue'))
export const UnsentNotice = defineAsyncComponent(() => import('./components/UnsentNotice.vue'))
export const loadVisitQueue = () => import('./visitQueue')
export const loadUnsentWarning = () => import('./unsentWarning')
export { confirmedAt, visitIcons, withUnsent } from './visit'
