/** Public profiles: what other features may use. */
export { default as PhotosLink } from './components/PhotosLink.vue'
