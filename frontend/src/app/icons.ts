/** Icons come in two parcels: the first page's with it, all others with the first step beyond it. */
import first from 'virtual:first-icons'
import { addFirst, addIcon } from '@/shared/lib/iconify'
import { once } from '@/shared/lib/once'

addFirst(first)

export const loadIcons = once(async () => {
  const { init } = await import('virtual:nuxt-ui-icons')
  init(addIcon)
})
