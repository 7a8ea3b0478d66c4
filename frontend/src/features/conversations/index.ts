/** Conversations: what other features may use. */
export { default as RequestConversations } from './components/RequestConversations.vue'
export { default as UnreadMessages } from './components/UnreadMessages.vue'
