/** What Nuxt UI's parts say. */
export { default } from '@nuxt/ui/runtime/locale/hi.js'
