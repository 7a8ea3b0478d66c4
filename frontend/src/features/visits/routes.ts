import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/visit/:token',
    component: () => import('./pages/SharedVisitPage.vue'),
    meta: { title: 'visits.shared.title' },
  },
] satisfies RouteRecordRaw[]
