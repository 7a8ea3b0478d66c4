interface ImportMetaEnv {
  /** Changes with the types of the API (vite.config.ts). */
  readonly CONTRACT: string
}

declare module 'virtual:first-icons' {
  const bodies: Record<string, string>
  export default bodies
}

declare module 'virtual:nuxt-ui-icons' {
  export function init(add: (name: string, data: { body: string }) => unknown): void
}

declare module '@nuxt/ui/vue-plugin' {
  import type { Plugin } from 'vue'

  const plugin: Plugin
  export default plugin
}

declare module 'virtual:texts/*' {
  import type { Sets } from '@/locales/byName'

  const sets: Sets
  export default sets
}
