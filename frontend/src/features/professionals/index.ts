/** Approval of professionals: what other features may use. */
export { default as DocumentView } from './components/DocumentView.vue'
export { default as UserFacts } from './components/UserFacts.vue'
