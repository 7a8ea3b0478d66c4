import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/approval',
    component: () => import('./pages/ApprovalPage.vue'),
    meta: {
      title: 'professionals.approval.title',
      roles: ['professional'],
      whileWaiting: true,
      nav: {
        roles: ['professional'],
        icon: 'i-lucide-shield-check',
        order: 50,
        label: 'professionals.approval.nav',
      },
    },
  },
  {
    path: '/admin/approvals',
    component: () => import('./pages/ApprovalsPage.vue'),
    meta: {
      title: 'professionals.queue.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-shield-check', order: 20 },
    },
  },
] satisfies RouteRecordRaw[]
