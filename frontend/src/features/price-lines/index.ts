/** Price lines: what other features may use, loaded when it is shown. */
import { defineAsyncComponent } from 'vue'

export const PricePanel = defineAsyncComponent(() => import('./components/PricePanel.vue'))
export { hasPriceLines, lineIcons } from './priceLines'
