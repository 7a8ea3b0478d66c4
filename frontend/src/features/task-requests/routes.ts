import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/tasks/:id(\\d+)/ask',
    component: () => import('./pages/AskPage.vue'),
    meta: { title: 'requests.ask.title', roles: ['customer'] },
  },
  {
    path: '/requests',
    component: () => import('./pages/MyRequestsPage.vue'),
    meta: {
      title: 'requests.mine.title',
      roles: ['customer'],
      nav: { roles: ['customer'], icon: 'i-lucide-clipboard-check', order: 30, label: 'requests.mine.nav' },
    },
  },
  {
    path: '/requests/:id(\\d+)',
    component: () => import('./pages/RequestPage.vue'),
    meta: { title: 'requests.page.title', roles: ['customer', 'professional', 'admin'] },
  },
  {
    path: '/inbox',
    component: () => import('./pages/InboxPage.vue'),
    meta: {
      title: 'requests.inbox.title',
      isPlain: true,
      hasForm: true,
      roles: ['professional'],
      nav: {
        roles: ['professional'],
        icon: 'i-lucide-inbox',
        order: 10,
        label: 'requests.inbox.nav',
        count: () => import('./components/NewCount.vue'),
      },
    },
  },
  {
    path: '/agenda',
    component: () => import('./pages/AgendaPage.vue'),
    meta: {
      title: 'agenda.title',
      roles: ['professional'],
      nav: { roles: ['professional'], icon: 'i-lucide-calendar-days', order: 15, label: 'agenda.nav' },
    },
  },
  {
    path: '/agenda/hours',
    component: () => import('./pages/HoursPage.vue'),
    meta: { title: 'agenda.hours.title', roles: ['professional'] },
  },
  {
    path: '/work',
    component: () => import('./pages/WorkPage.vue'),
    meta: {
      title: 'requests.work.title',
      roles: ['professional'],
      nav: { roles: ['professional'], icon: 'i-lucide-briefcase', order: 20, label: 'requests.work.nav' },
    },
  },
  {
    path: '/admin/requests',
    component: () => import('./pages/AdminRequestsPage.vue'),
    meta: {
      title: 'requests.admin.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-clipboard-check', order: 40 },
    },
  },
] satisfies RouteRecordRaw[]
