/** Icons come in two bundles: those of the first page, and all others with the first navigation. */
import first from 'virtual:first-icons'
import { addFirst, addIcon } from '@/shared/lib/iconify'
import { once } from '@/shared/lib/once'

addFirst(first)

export const loadIcons = once(async () => {
  const { init } = await import('virtual:nuxt-ui-icons')
  init(addIcon)
})
