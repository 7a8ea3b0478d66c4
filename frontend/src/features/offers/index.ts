/** Offers: what other features may use, loaded when it is shown. */
import { defineAsyncComponent } from 'vue'

export const OffersPanel = defineAsyncComponent(() => import('./components/OffersPanel.vue'))
export { hasOffers, offerIcons } from './offers'
