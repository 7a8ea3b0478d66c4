/** Exports: what other features and the frame may use, loaded when it is shown. */
import { defineAsyncComponent } from 'vue'

export const ExportForm = defineAsyncComponent(() => import('./components/ExportForm.vue'))
