/** Icons from our own bundle only: the offline part of Iconify knows no other host, under the names Nuxt UI asks for. */
import { addIcon as add, Icon } from '@iconify/vue/offline'

type Data = Parameters<typeof add>[1]

export { Icon }
export const iconLoaded = (): boolean => true

export function addIcon(name: string, data: Data): void {
  add(name, data)
  if (name.includes(':')) add(name.replace(':', '-'), data)
}

/** The icons of the first page, drawn on Lucide's grid of 24. */
export function addFirst(bodies: Record<string, string>): void {
  for (const [name, body] of Object.entries(bodies)) add(`lucide-${name}`, { body, width: 24, height: 24 })
}
