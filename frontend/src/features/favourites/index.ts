/** Favourites: what other features may use, loaded when it is shown. */
import { defineAsyncComponent } from 'vue'

export const KeepButton = defineAsyncComponent(() => import('./components/KeepButton.vue'))
export const NextTime = defineAsyncComponent(() => import('./components/NextTime.vue'))
