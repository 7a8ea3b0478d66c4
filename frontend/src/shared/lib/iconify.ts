/** Icons from our own bundle only, drawn on Lucide's grid of 24, under the names that Nuxt UI asks for. */
import { defineComponent, h } from 'vue'

interface Data {
  body: string
}
const bodies = new Map<string, string>()
/** Those that point along the text: main.css turns them around where text runs from right to left. */
const directed = /[-:](arrow|chevron|move|panel)-(left|right)$|[-:](undo|redo)-2$|[-:]log-(in|out)$/
const classOf = (name: string) => (directed.test(name) ? 'along-text' : undefined)

export const Icon = defineComponent({
  name: 'AppIcon',
  props: { icon: { type: String, required: true } },
  setup: (props) => () =>
    h('svg', {
      xmlns: 'http://www.w3.org/2000/svg',
      class: classOf(props.icon),
      'aria-hidden': 'true',
      role: 'img',
      width: '1em',
      height: '1em',
      viewBox: '0 0 24 24',
      innerHTML: bodies.get(props.icon.replace(':', '-')) ?? '',
    }),
})
export const iconLoaded = (): boolean => true

export function addIcon(name: string, { body }: Data): void {
  bodies.set(name.replace(':', '-'), body)
}

export function addFirst(first: Record<string, string>): void {
  for (const [name, body] of Object.entries(first)) bodies.set(`lucide-${name}`, body)
}
