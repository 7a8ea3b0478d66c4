/**
 * `virtual:first-icons`: the icons that the public pages may show. All others, Nuxt UI's bundle without those, come with the first page that
 * is not one of them.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vitest/config'

/** Files whose icons the public pages may show. */
const early = [
  'src/app/AppStatus.vue',
  'src/app/layouts/BarTools.vue',
  'src/app/layouts/LanguageButton.vue',
  'src/app/layouts/ThemeButton.vue',
  'src/app/layouts/TopLayout.vue',
  'src/features/search',
  'src/features/tasks/pages/TaskPage.vue',
  'src/features/accounts/components/PasswordInput.vue',
  'src/features/profiles/components/ProfileHead.vue',
  ...['AppForm', 'ErrorState', 'PageHeader', 'PlaceInput', 'RatingText'].map(
    (name) => `src/shared/ui/${name}.vue`,
  ),
  'src/shared/ui/plain',
]

interface Lucide {
  icons: Record<string, { body: string }>
  aliases: Record<string, { parent: string }>
}

interface IconSet {
  prefix: string
  icons: Record<string, unknown>
}

function namesIn(path: string, found = new Set<string>()): Set<string> {
  if (statSync(path).isDirectory()) for (const entry of readdirSync(path)) namesIn(join(path, entry), found)
  else if (!/routes\.ts$|\.spec\.ts$/.test(path))
    for (const [, name] of readFileSync(path, 'utf8').matchAll(/i-lucide-([a-z0-9-]+)/g))
      if (name) found.add(name)
  return found
}

function firstBodies(): Record<string, string> {
  const { icons, aliases } = JSON.parse(
    readFileSync('node_modules/@iconify-json/lucide/icons.json', 'utf8'),
  ) as Lucide
  const wanted = new Set(early.flatMap((path) => [...namesIn(path)]))
  const picked = [...wanted].map((icon) => {
    const body = (icons[icon] ?? icons[aliases[icon]?.parent ?? ''])?.body
    if (!body) throw new Error(`There is no icon i-lucide-${icon}`)
    return [icon, body] as const
  })
  return Object.fromEntries(picked)
}

export function firstIcons(): Plugin {
  const name = 'virtual:first-icons'
  return {
    name: 'doorstep:first-icons',
    resolveId: (id) => (id === name ? name : undefined),
    load: (id) => (id === name ? `export default ${JSON.stringify(firstBodies())}` : undefined),
    transform(code, id) {
      if (!id.endsWith('virtual:nuxt-ui-icons')) return
      const listed = /JSON\.parse\(("(?:[^"\\]|\\.)*")\)/
      if (!listed.test(code)) throw new Error('The icon bundle of Nuxt UI has an unknown format')
      const first = new Set(Object.keys(firstBodies()))
      return code.replace(listed, (_, text: string) => {
        const sets = JSON.parse(JSON.parse(text) as string) as IconSet[]
        const later = sets.map(({ prefix, icons }) => ({
          prefix,
          icons: Object.fromEntries(
            Object.entries(icons).filter(([icon]) => prefix !== 'lucide' || !first.has(icon)),
          ),
        }))
        return `JSON.parse(${JSON.stringify(JSON.stringify(later))})`
      })
    },
  }
}
