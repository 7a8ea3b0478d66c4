import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/favourites',
    component: () => import('./pages/FavouritesPage.vue'),
    meta: {
      title: 'favourites.title',
      roles: ['customer'],
      nav: { roles: ['customer'], icon: 'i-lucide-heart', order: 45, label: 'favourites.nav' },
    },
  },
  {
    path: '/profile/exclusions',
    component: () => import('./pages/ExclusionsPage.vue'),
    meta: { title: 'favourites.never.title', roles: ['customer', 'professional'] },
  },
] satisfies RouteRecordRaw[]
