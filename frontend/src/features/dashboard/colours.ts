/** The tokens' colours and letters as a canvas understands them, light and dark, in the page's language. */
import { onScopeDispose, ref } from 'vue'

export const tones = {
  requested: ['--color-marigold-400', '--color-marigold-400'],
  accepted: ['--color-peacock-400', '--color-peacock-400'],
  completed: ['--color-leaf-400', '--color-leaf-400'],
  closed: ['--color-leaf-700', '--color-leaf-600'],
  cancelled: ['--color-brick-500', '--color-brick-400'],
  expired: ['--color-sand-400', '--color-sand-400'],
  door: ['--color-peacock-700', '--color-peacock-400'],
  text: ['--ui-text-muted', '--ui-text-muted'],
  grid: ['--ui-border', '--ui-border'],
} as const
export type Tone = keyof typeof tones

const canvas = document.createElement('canvas')
canvas.width = canvas.height = 1
const pen = canvas.getContext('2d', { willReadFrequently: true })

/** oklch(...) → rgb(...), by painting it: chart.js reads no newer notation. */
function plain(colour: string): string {
  if (!pen) return colour
  pen.clearRect(0, 0, 1, 1)
  pen.fillStyle = colour
  pen.fillRect(0, 0, 1, 1)
  const [red, green, blue, alpha = 255] = pen.getImageData(0, 0, 1, 1).data
  return `rgba(${red}, ${green}, ${blue}, ${alpha / 255})`
}

export function useColours() {
  const dark = ref(document.documentElement.classList.contains('dark'))
  const watcher = new MutationObserver(() => {
    dark.value = document.documentElement.classList.contains('dark')
  })
  watcher.observe(document.documentElement, { attributeFilter: ['class'] })
  /** A canvas keeps its pixels, so it is redrawn when a language's font arrives later. */
  const drawn = ref(0)
  const again = () => {
    drawn.value += 1
  }
  document.fonts?.addEventListener('loadingdone', again)
  onScopeDispose(() => {
    watcher.disconnect()
    document.fonts?.removeEventListener('loadingdone', again)
  })

  const colour = (tone: Tone): string =>
    plain(getComputedStyle(document.documentElement).getPropertyValue(tones[tone][dark.value ? 1 : 0]))
  const font = (): string => getComputedStyle(document.documentElement).getPropertyValue('--font-sans')
  return { dark, drawn, colour, font }
}
