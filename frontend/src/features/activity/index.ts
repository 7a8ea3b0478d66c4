/** Activity of a request: what other features may use, loaded when it is shown. */
import { defineAsyncComponent } from 'vue'

export const AdminActivity = defineAsyncComponent(() => import('./components/AdminActivity.vue'))
