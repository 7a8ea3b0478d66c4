/** Requests: what other features and the frame may use, loaded when it is shown. */
import { defineAsyncComponent } from 'vue'

export const OpenRequests = defineAsyncComponent(() => import('./components/OpenRequests.vue'))
export const loadKeptVisits = () => import('./keptVisits')
