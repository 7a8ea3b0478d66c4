import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/admin/professionals',
    component: () => import('./pages/PeoplePage.vue'),
    props: { role: 'professional' },
    meta: {
      title: 'people.professionals.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-hammer', order: 24 },
    },
  },
  {
    path: '/admin/customers',
    component: () => import('./pages/PeoplePage.vue'),
    props: { role: 'customer' },
    meta: {
      title: 'people.customers.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-users', order: 26 },
    },
  },
  {
    path: '/admin/professionals/:id(\\d+)',
    component: () => import('./pages/PersonPage.vue'),
    props: { role: 'professional' },
    meta: { title: 'people.professional', roles: ['admin'] },
  },
  {
    path: '/admin/customers/:id(\\d+)',
    component: () => import('./pages/PersonPage.vue'),
    props: { role: 'customer' },
    meta: { title: 'people.customer', roles: ['admin'] },
  },
  {
    path: '/admin/reliability',
    component: () => import('./pages/ReliabilityPage.vue'),
    meta: { title: 'people.reliability.title', roles: ['admin'] },
  },
] satisfies RouteRecordRaw[]
