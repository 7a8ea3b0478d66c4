import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/notifications',
    component: () => import('./pages/NotificationsPage.vue'),
    meta: { title: 'notifications.title', roles: ['customer', 'professional', 'admin'], whileWaiting: true },
  },
] satisfies RouteRecordRaw[]
