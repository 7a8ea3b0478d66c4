import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/admin/professionals',
    component: () => import('./pages/UsersPage.vue'),
    props: { role: 'professional' },
    meta: {
      title: 'users.professionals.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-hammer', order: 24 },
    },
  },
  {
    path: '/admin/customers',
    component: () => import('./pages/UsersPage.vue'),
    props: { role: 'customer' },
    meta: {
      title: 'users.customers.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-users', order: 26 },
    },
  },
  {
    path: '/admin/professionals/:id(\\d+)',
    component: () => import('./pages/UserPage.vue'),
    props: { role: 'professional' },
    meta: { title: 'users.professional', roles: ['admin'] },
  },
  {
    path: '/admin/customers/:id(\\d+)',
    component: () => import('./pages/UserPage.vue'),
    props: { role: 'customer' },
    meta: { title: 'users.customer', roles: ['admin'] },
  },
  {
    path: '/admin/reliability',
    component: () => import('./pages/ReliabilityPage.vue'),
    meta: { title: 'users.reliability.title', roles: ['admin'] },
  },
] satisfies RouteRecordRaw[]
