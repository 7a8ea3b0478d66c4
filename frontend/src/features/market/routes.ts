import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/admin/settings',
    component: () => import('./pages/SettingsPage.vue'),
    meta: {
      title: 'market.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-settings', order: 90 },
    },
  },
] satisfies RouteRecordRaw[]
