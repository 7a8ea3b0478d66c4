import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/professionals/:id(\\d+)',
    component: () => import('./pages/ProfessionalPage.vue'),
    meta: { title: 'profiles.page.title', isPlain: true, isStatic: true },
  },
  {
    path: '/my-profile',
    component: () => import('./pages/MyProfilePage.vue'),
    meta: { title: 'profiles.mine.title', roles: ['professional'], whileWaiting: true },
  },
  {
    path: '/admin/approvals/photos',
    component: () => import('./pages/PhotosPage.vue'),
    meta: { title: 'profiles.photos.title', roles: ['admin'] },
  },
] satisfies RouteRecordRaw[]
