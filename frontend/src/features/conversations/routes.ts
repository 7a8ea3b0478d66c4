import type { RouteRecordRaw } from 'vue-router'

export default [
  {
    path: '/messages',
    component: () => import('./pages/ConversationsPage.vue'),
    meta: {
      title: 'conversations.title',
      roles: ['customer', 'professional'],
      nav: {
        roles: ['customer', 'professional'],
        icon: 'i-lucide-messages-square',
        order: 25,
        label: 'conversations.nav',
        count: () => import('./components/UnreadCount.vue'),
      },
    },
  },
  {
    path: '/requests/:id(\\d+)/messages',
    component: () => import('./pages/ConversationPage.vue'),
    meta: {
      title: 'conversations.one',
      roles: ['customer', 'professional', 'admin'],
      under: ['/messages', '/admin/conversations'],
    },
  },
  {
    path: '/admin/conversations',
    component: () => import('./pages/ReportedPage.vue'),
    meta: {
      title: 'conversations.reported.title',
      roles: ['admin'],
      nav: { roles: ['admin'], icon: 'i-lucide-flag', order: 46, label: 'conversations.reported.nav' },
    },
  },
] satisfies RouteRecordRaw[]
