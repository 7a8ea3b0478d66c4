import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/admin/exports',
    component: () => import('./pages/ExportsPage.vue'),
    meta: {
      title: 'exports.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-file-down', order: 50 },
    },
  },
] satisfies RouteRecordRaw[]
