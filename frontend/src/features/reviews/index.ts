/** Reviews: what other features may use. */
export { default as ReviewAnswer } from './components/ReviewAnswer.vue'
