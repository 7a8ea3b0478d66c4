// The pages that people come in by, and what each of them loads before it can be used.
import { existsSync, readdirSync, readFileSync } from 'node:fs'

export const dist = new URL('../dist/', import.meta.url)
const locales = new URL('../src/locales/', import.meta.url)
/** Each folder with texts is a language; English, which the others fall back to, comes first. */
export const languages = readdirSync(locales)
  .filter((name) => existsSync(new URL(`${name}/index.ts`, locales)))
  .sort((one, other) => Number(other === 'en') - Number(one === 'en'))

const data = 'src/shared/lib/queryClient.ts'
/** Name of the built page, by which the server finds it: the path it is rendered at, its route's, its component, and what else the router loads for it. */
export const firstPages = {
  landing: { path: '/', route: '/', page: 'src/features/search/pages/LandingPage.vue', loads: [] },
  search: {
    path: '/search',
    route: '/search',
    page: 'src/features/search/pages/ResultsPage.vue',
    loads: [],
  },
  task: {
    path: '/tasks/1',
    route: '/tasks/:id(\\d+)',
    page: 'src/features/tasks/pages/TaskPage.vue',
    loads: [data],
  },
  profile: {
    path: '/professionals/1',
    route: '/professionals/:id(\\d+)',
    page: 'src/features/profiles/pages/ProfessionalPage.vue',
    loads: [],
    needsData: true,
  },
  'sign-in': {
    path: '/sign-in',
    route: '/sign-in',
    page: 'src/features/accounts/pages/SignInPage.vue',
    loads: [],
    hasForm: true,
  },
  'sign-up': {
    path: '/sign-up',
    route: '/sign-up',
    page: 'src/features/accounts/pages/SignUpPage.vue',
    loads: [data],
    hasForm: true,
  },
}

const readManifest = () => JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
const manifest = readManifest()

/** The keys of the sets of texts (scripts/vite/texts.ts) that a page loads; the build numbers them. */
export function textKeys({ route, hasForm = false }, language) {
  const numbers = JSON.parse(readFileSync(new URL('.vite/texts.json', dist), 'utf8'))
  return [route, ...(hasForm ? ['shared'] : [])].map(
    (name) => `virtual:texts/${language}/${numbers.indexOf(name)}`,
  )
}

/** The files of some modules and, in order before each, of what it draws in by plain imports, and by those others that `loadsLater` wants. */
export function filesOf(modules, loadsLater = () => false) {
  const seen = new Set()
  const files = []
  const add = (key) => {
    if (seen.has(key)) return
    seen.add(key)
    for (const next of manifest[key].imports ?? []) add(next)
    if (manifest[key].file.endsWith('.js')) files.push(manifest[key].file)
    for (const next of manifest[key].dynamicImports ?? []) if (loadsLater(next)) add(next)
  }
  for (const wanted of modules) {
    const key = Object.keys(manifest).find((one) => one.endsWith(wanted))
    if (!key) throw new Error(`The build has no ${wanted}`)
    add(key)
  }
  return files
}

/** The files of everything that a page loads and, last, of the entry; without a page, of the entry alone. */
export function scriptsOf(name, language = 'en') {
  const page = firstPages[name]
  const first = language === 'en' ? [] : [`src/locales/${language}/index.ts`]
  const own = page ? [...textKeys(page, language), ...page.loads, page.page] : []
  return filesOf([...first, ...own, 'index.html'])
}
