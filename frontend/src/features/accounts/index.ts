/** Accounts: what other features may use. */
export { default as AccountTabs } from './components/AccountTabs.vue'
export { default as PasswordInput } from './components/PasswordInput.vue'
export { default as SignInForm } from './components/SignInForm.vue'
