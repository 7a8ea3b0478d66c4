import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/reviews',
    component: () => import('./pages/MyReviewsPage.vue'),
    meta: {
      title: 'reviews.mine.title',
      roles: ['professional'],
      nav: { roles: ['professional'], icon: 'i-lucide-star', order: 30, label: 'reviews.mine.nav' },
    },
  },
  {
    path: '/admin/reviews',
    component: () => import('./pages/ReviewsPage.vue'),
    meta: {
      title: 'reviews.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-star', order: 45 },
    },
  },
] satisfies RouteRecordRaw[]
