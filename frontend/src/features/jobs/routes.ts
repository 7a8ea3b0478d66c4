import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/admin/jobs',
    component: () => import('./pages/JobsPage.vue'),
    meta: {
      title: 'jobs.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-calendar-clock', order: 60 },
    },
  },
  {
    path: '/admin/deliveries',
    component: () => import('./pages/DeliveriesPage.vue'),
    meta: {
      title: 'deliveries.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-send', order: 70 },
    },
  },
] satisfies RouteRecordRaw[]
