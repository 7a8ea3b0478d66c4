/** Favourites: what other features may use, loaded when it is shown. */
import { defineAsyncComponent } from 'vue'
import { loadPart } from '@/shared/lib/richParts'

export const KeepButton = defineAsyncComponent(() => loadPart(() => import('./components/KeepButton.vue')))
export const NextTime = defineAsyncComponent(() => import('./components/NextTime.vue'))
