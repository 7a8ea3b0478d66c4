import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/reports',
    component: () => import('./pages/ReportsPage.vue'),
    meta: {
      title: 'reports.title',
      roles: ['customer'],
      nav: { roles: ['customer'], icon: 'i-lucide-chart-column', order: 40, label: 'reports.nav' },
    },
  },
  {
    path: '/reports/:month(\\d{4}-\\d{2})',
    component: () => import('./pages/ReportPage.vue'),
    meta: { title: 'reports.title', roles: ['customer'] },
  },
] satisfies RouteRecordRaw[]
