import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/admin',
    component: () => import('./pages/DashboardPage.vue'),
    meta: {
      title: 'dashboard.title',
      isPlain: true,
      hasForm: true,
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-layout-dashboard', order: 10 },
    },
  },
] satisfies RouteRecordRaw[]
