import type { RouteRecordRaw } from 'vue-router'

export default [
  { path: '/tasks/:id(\\d+)', component: () => import('./pages/TaskPage.vue'), meta: { title: 'tasks.page.title' } },
  {
    path: '/admin/tasks',
    component: () => import('./pages/AdminTasksPage.vue'),
    meta: { title: 'tasks.admin.title', roles: ['admin'], nav: { roles: ['admin'], icon: 'i-lucide-clipboard-list', order: 30 } },
  },
] satisfies RouteRecordRaw[]
