/** Checklists of tasks and requests: what other features may use, loaded when it is shown. */
import { defineAsyncComponent } from 'vue'

export const RequestChecklist = defineAsyncComponent(() => import('./components/RequestChecklist.vue'))
export const TaskChecklistForm = defineAsyncComponent(() => import('./components/TaskChecklistForm.vue'))
