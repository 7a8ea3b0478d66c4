import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/admin/reviews',
    component: () => import('./pages/ReviewsPage.vue'),
    meta: { title: 'reviews.title', roles: ['admin'], nav: { roles: ['admin'], icon: 'i-lucide-star', order: 45 } },
  },
] satisfies RouteRecordRaw[]
