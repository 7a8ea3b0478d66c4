/** Icons come in two parcels: the first page's with it, all others with the first step beyond it. */
import first from 'virtual:first-icons'
import { addFirst, addIcon } from '@/shared/lib/iconify'

addFirst(first)

let rest: Promise<void> | null = null

export function loadIcons(): Promise<void> {
  rest ??= import('virtual:nuxt-ui-icons').then(({ init }) => init(addIcon))
  return rest
}
