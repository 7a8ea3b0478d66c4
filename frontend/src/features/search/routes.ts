import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/',
    component: () => import('./pages/LandingPage.vue'),
    meta: {
      title: 'search.landing.title',
      homePage: true,
      isPlain: true,
      isStatic: true,
      nav: { roles: ['customer'], icon: 'i-lucide-house', order: 10, label: 'nav.home' },
    },
  },
  {
    path: '/search',
    component: () => import('./pages/ResultsPage.vue'),
    meta: {
      title: 'search.results.title',
      isPlain: true,
      isStatic: true,
      nav: { roles: ['visitor', 'customer'], icon: 'i-lucide-search', order: 20, label: 'nav.search' },
    },
  },
] satisfies RouteRecordRaw[]
