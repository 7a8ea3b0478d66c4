// Writes dist/service-worker.js, with the list of what it keeps on the device: what the pages of a visit need, in each language.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { dist, filesOf, languages, textKeys } from './firstPages.mjs'

const requests = 'src/features/task-requests'
const kept = [
  'src/features/accounts/pages/SignInPage.vue',
  ...['AgendaPage', 'InboxPage', 'MyRequestsPage', 'RequestPage', 'WorkPage'].map(
    (page) => `${requests}/pages/${page}.vue`,
  ),
]
const routes = [
  'frame',
  'shared',
  '/sign-in',
  '/agenda',
  '/inbox',
  '/requests',
  '/requests/:id(\\d+)',
  '/work',
]
/** Menus, dialogs and the like; other pages and their texts come when they are opened. */
const isPart = (module) => !/\/pages\/|^virtual:texts|AdminLayout/.test(module)
const shell = '/app/offline'
const digest = (data) => createHash('sha256').update(data).digest('hex').slice(0, 16)
const read = (file) => readFileSync(new URL(file, dist))

const texts = languages.flatMap((language) => routes.flatMap((route) => textKeys({ route }, language)))
const listed = languages
  .filter((language) => language !== 'en')
  .map((language) => `src/locales/${language}/index.ts`)
const scripts = filesOf([...kept, ...new Set(texts), ...listed, 'index.html'], isPart)
const others = readdirSync(new URL('assets/', dist))
  .filter((name) => /\.css$|latin-(wght|latin-wght).*\.woff2$/.test(name))
  .map((name) => `assets/${name}`)
const entries = [
  // Named by their content, so that a revision says nothing more.
  ...[...scripts, ...others].map((file) => ({ url: `/app/${file}`, revision: null })),
  { url: shell, revision: digest(languages.map((language) => read(`pages/empty.${language}.html`)).join()) },
]

await build({
  configFile: false,
  root: fileURLToPath(new URL('..', import.meta.url)),
  publicDir: false,
  logLevel: 'warn',
  define: {
    'import.meta.env.PRECACHE': JSON.stringify({ entries, shell, build: digest(JSON.stringify(entries)) }),
    'process.env.NODE_ENV': '"production"',
  },
  build: {
    outDir: fileURLToPath(dist),
    emptyOutDir: false,
    target: 'es2022',
    // A classic script: not all browsers have workers as modules.
    lib: {
      entry: 'src/service-worker.ts',
      formats: ['iife'],
      name: 'worker',
      fileName: () => 'service-worker.js',
    },
  },
})
const size = scripts.concat(others).reduce((sum, file) => sum + read(file).length, 0)
console.log(`service-worker.js keeps ${entries.length} files, ${Math.round(size / 1000)} kB`)
