import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/admin/audit',
    component: () => import('./pages/AuditPage.vue'),
    meta: {
      title: 'audit.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-scroll-text', order: 80 },
    },
  },
] satisfies RouteRecordRaw[]
