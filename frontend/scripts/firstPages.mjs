// The pages that people come in by, and what each of them loads before it stands.
import { readFileSync } from 'node:fs'

export const dist = new URL('../dist/', import.meta.url)

/** Name of the built page: its address in the application, and what its router loads for it. The server finds a page by its name. */
const beyond = ['src/locales/en/rest.ts', 'virtual:nuxt-ui-icons']
export const firstPages = {
  landing: { path: '/', loads: ['src/features/search/pages/LandingPage.vue'] },
  search: { path: '/search', loads: ['src/features/search/pages/ResultsPage.vue', ...beyond] },
  'sign-in': { path: '/sign-in', loads: ['src/features/accounts/pages/SignInPage.vue', ...beyond] },
}

const readManifest = () => JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))

/** The files of everything that a page loads and, last, of the entry; each after what it draws in by plain imports. */
export function scriptsOf(name) {
  const manifest = readManifest()
  const seen = new Set()
  const files = []
  const add = (key) => {
    if (seen.has(key)) return
    seen.add(key)
    for (const next of manifest[key].imports ?? []) add(next)
    if (manifest[key].file.endsWith('.js')) files.push(manifest[key].file)
  }
  for (const wanted of [...firstPages[name].loads, 'index.html']) {
    const key = Object.keys(manifest).find((one) => one.endsWith(wanted))
    if (!key) throw new Error(`The build has no ${wanted}`)
    add(key)
  }
  return files
}
