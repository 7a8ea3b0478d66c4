import type { RouteRecordRaw } from 'vue-router'

const everyone = ['customer', 'professional', 'admin'] as const

export default [
  {
    path: '/sign-in',
    component: () => import('./pages/SignInPage.vue'),
    meta: { title: 'accounts.signIn.title', guestsOnly: true, isPlain: true, isStatic: true, hasForm: true },
  },
  {
    path: '/sign-up',
    component: () => import('./pages/SignUpPage.vue'),
    meta: { title: 'accounts.signUp.title', guestsOnly: true, isPlain: true, hasForm: true },
  },
  {
    path: '/sign-up/professional',
    component: () => import('./pages/ProfessionalSignUpPage.vue'),
    meta: { title: 'accounts.signUp.professionalTitle', guestsOnly: true },
  },
  {
    path: '/password/forgot',
    component: () => import('./pages/ForgotPasswordPage.vue'),
    meta: { title: 'accounts.forgot.title' },
  },
  {
    path: '/password/reset',
    component: () => import('./pages/ResetPasswordPage.vue'),
    meta: { title: 'accounts.reset.title' },
  },
  {
    path: '/email/undo',
    component: () => import('./pages/UndoEmailPage.vue'),
    meta: { title: 'accounts.undo.title' },
  },
  {
    path: '/password/first',
    component: () => import('./pages/FirstPasswordPage.vue'),
    meta: { title: 'accounts.first.title', roles: everyone, whileWaiting: true, withFirstPassword: true },
  },
  {
    path: '/email/confirm',
    component: () => import('./pages/ConfirmEmailPage.vue'),
    meta: { title: 'accounts.confirm.title' },
  },
  {
    path: '/profile/messages',
    component: () => import('./pages/MessagesPage.vue'),
    meta: { title: 'accounts.messages.title', roles: everyone, whileWaiting: true },
  },
  {
    path: '/profile/sessions',
    component: () => import('./pages/SessionsPage.vue'),
    meta: { title: 'accounts.sessions.title', roles: everyone, whileWaiting: true },
  },
  {
    path: '/profile',
    component: () => import('./pages/ProfilePage.vue'),
    meta: { title: 'accounts.profile.title', roles: everyone, whileWaiting: true },
  },
] satisfies RouteRecordRaw[]
