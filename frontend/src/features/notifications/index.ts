/** Notifications: what other features and the frame may use, loaded when it is shown. */
import { defineAsyncComponent } from 'vue'

export const NotificationBell = defineAsyncComponent(() => import('./components/NotificationBell.vue'))
