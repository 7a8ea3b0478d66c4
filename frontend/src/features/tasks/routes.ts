import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/tasks/:id(\\d+)',
    component: () => import('./pages/TaskPage.vue'),
    meta: { title: 'tasks.page.title', isPlain: true },
  },
  {
    path: '/admin/tasks',
    component: () => import('./pages/AdminTasksPage.vue'),
    meta: {
      title: 'tasks.admin.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-clipboard-list', order: 30 },
    },
  },
  {
    path: '/admin/tasks/synonyms',
    component: () => import('./pages/SynonymsPage.vue'),
    meta: { title: 'synonyms.title', roles: ['admin'] },
  },
] satisfies RouteRecordRaw[]
