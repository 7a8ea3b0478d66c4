import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig, transformWithOxc, type Plugin } from 'vite'
import { firstIcons } from './scripts/vite/icons'
import { ownNames } from './scripts/vite/ownNames'
import { compiledTexts, routeTexts } from './scripts/vite/texts'

const api = process.env.DOORSTEP_API ?? 'http://127.0.0.1:5000'
/** What a browser may open as a page lives under /app/; everything else belongs to the API. */
const proxied = `^/(app/(market\\.json|manifest\\.webmanifest)$|(?!app(/|$)|@|src/|node_modules/).+)`

const lazyClient = fileURLToPath(new URL('./src/shared/api/lazyClient.ts', import.meta.url))

/** Calls go by XMLHttpRequest, which tells how far an upload is: axios's other way and, in the client, event streams (src/shared/live has them) are left out of the bundle. */
function oneAdapter(): Plugin {
  const noStreams = '\0no-streams'
  return {
    name: 'doorstep:one-adapter',
    enforce: 'pre',
    // The generated client is given our instance, and makes none of its own.
    resolveId(source, importer = '') {
      if (source === 'axios' && importer.includes('/generated/client/')) return '\0no-axios'
      if (source === '../client.gen' && /\/generated\/(sdk|queries)\//.test(importer)) return lazyClient
      if (/core\/serverSentEvents/.test(source) && /generated\/client\//.test(importer)) return noStreams
    },
    load(id) {
      if (id === '\0no-axios') return 'export default {}'
      if (/axios\/lib\/adapters\/fetch\.js/.test(id))
        return 'export const getFetch = () => false; export default { getFetch }'
      if (id === noStreams)
        return 'export const createSseClient = () => { throw new Error("left out of the bundle") }'
    },
  }
}

/**
 * Nuxt UI writes its colours into an inline <style> at run time, which a strict policy refuses: ours are in colours.css.
 * Its icons would all come with the first page: firstIcons() brings that page's own, app/icons.ts the others later.
 */
function staticColours(): Plugin {
  return {
    name: 'doorstep:static-colours',
    enforce: 'pre',
    load(id) {
      if (/@nuxt\/ui\/dist\/runtime\/(plugins\/colors|vue\/plugins\/(head|icons))\.js/.test(id))
        return 'export default { install() {} }'
    },
  }
}

/**
 * Plain fields and Nuxt UI's find each other by the keys of one module, which brings VueUse along: in the bundle the keys are a
 * module of their own.
 */
function formKeys(): Plugin {
  const keys = '\0form-keys'
  const module = 'node_modules/@nuxt/ui/dist/runtime/composables/useFormField.js'
  const declared = /^export const (\w+InjectionKey) = Symbol\(.*\);$/gm
  const read = () => readFileSync(module, 'utf8')
  return {
    name: 'doorstep:form-keys',
    enforce: 'pre',
    apply: 'build',
    resolveId(source, importer = '') {
      if (source === keys) return keys
      if (source.endsWith('composables/useFormField.js') && /src\/shared\/ui\/plain\//.test(importer))
        return keys
    },
    load(id) {
      if (id === keys) return [...read().matchAll(declared)].map(([line]) => line).join('\n')
      if (!id.endsWith(module)) return
      const names = [...read().matchAll(declared)].map(([, name]) => name).join(', ')
      if (!names) throw new Error(`No keys are recognised in ${module}`)
      return `import { ${names} } from ${JSON.stringify(keys)}\nexport { ${names} }\n${read().replaceAll(declared, '')}`
    },
  }
}

/**
 * Nuxt UI's stand-in for Nuxt imports a library of hooks, which only its dashboards and tables of contents call: messages
 * need the same file for their state. A page that starts to use one of those fails at once, because `hook` is missing.
 */
function noHooks(): Plugin {
  const none = '\0no-hooks'
  return {
    name: 'doorstep:no-hooks',
    enforce: 'pre',
    apply: 'build',
    resolveId: (source, importer = '') =>
      source === 'hookable' && importer.endsWith('runtime/vue/stubs/base.js') ? none : undefined,
    load: (id) => (id === none ? 'export const createHooks = () => ({})' : undefined),
  }
}

/** Files of the entry, which every page has by the time that it loads anything else. */
const always = new Set<string>()

/** Learns which files those are, before Vite lists what each later part of a page needs. */
function entryFiles(): Plugin {
  return {
    name: 'doorstep:entry-files',
    enforce: 'pre',
    apply: 'build',
    generateBundle(_, bundle) {
      const add = (file: string): void => {
        const chunk = bundle[file]
        if (chunk?.type !== 'chunk' || always.has(file)) return
        always.add(file)
        chunk.imports.forEach(add)
      }
      for (const [file, chunk] of Object.entries(bundle))
        if (chunk.type === 'chunk' && chunk.isEntry) add(file)
    },
  }
}

/** In development the service worker has its part for push messages alone; scripts/serviceWorker.mjs builds the whole. */
function serviceWorker(): Plugin {
  const source = 'src/worker/push.ts'
  return {
    name: 'doorstep:service-worker',
    configureServer: ({ middlewares }) => {
      middlewares.use('/app/service-worker.js', (_, response) => {
        response.setHeader('Content-Type', 'text/javascript')
        void transformWithOxc(readFileSync(source, 'utf8'), source).then(({ code }) =>
          response.end(code.replace(/^export *\{ *\};?$/m, '')),
        )
      })
    },
  }
}

/** Small pieces under menus, dialogs and fields, each of them under several. */
const parts =
  /reka-ui\/dist\/(shared|Collection|VisuallyHidden|Teleport|FocusScope|Presence|Primitive|Dismiss)|aria-hidden|components\/(FormField|Label)\.vue|ui\/form-field/

/**
 * A few files for what every page loads, since each costs a turn: libraries, which change seldom, and our own frame.
 * `$initial` is what the entry reaches by plain imports, unused exports left out; by names alone menus and dialogs came along.
 */
const groups = [
  { name: 'base', test: /node_modules|virtual:nuxt-ui/, tags: ['$initial' as const] },
  // All but the entry itself, by which the manifest begins.
  { name: 'app', test: /^(?!.*(index\.html|src\/app\/main\.ts)$)/, tags: ['$initial' as const] },
  { name: 'data', test: /@tanstack/ },
  // Before `parts`: plain fields share no more than keys with Nuxt UI's.
  { name: 'fields', test: /src\/shared\/ui\/plain\/|form-keys/ },
  { name: 'parts', test: parts, minShareCount: 3 },
]

/** Answers kept in a browser are read as long as the API's types stay the same. */
const contract = createHash('sha256')
  .update(readFileSync(new URL('./src/shared/api/generated/types.gen.ts', import.meta.url)))
  .digest('hex')
  .slice(0, 12)

const define = {
  __VUE_OPTIONS_API__: 'false',
  __VUE_I18N_LEGACY_API__: 'false',
  __VUE_I18N_FULL_INSTALL__: 'false',
  __INTLIFY_PROD_DEVTOOLS__: 'false',
  'import.meta.env.CONTRACT': JSON.stringify(contract),
}

const modulePreload = {
  // Every browser with the other things that we use knows modulepreload.
  polyfill: false,
  // For scripts only: the page itself names the files of the entry.
  resolveDependencies: (_: string, files: string[], { hostType }: { hostType: 'html' | 'js' }) =>
    hostType === 'js' ? files.filter((file) => !always.has(file)) : files,
}

export default defineConfig(({ isSsrBuild = false }) => ({
  base: '/app/',
  plugins: [
    oneAdapter(),
    staticColours(),
    formKeys(),
    noHooks(),
    entryFiles(),
    routeTexts(),
    compiledTexts(),
    firstIcons(),
    ownNames(),
    serviceWorker(),
    vue(),
    ui({
      autoImport: false,
      components: { dts: false },
      colorMode: false,
      experimental: { componentDetection: true },
      // Routes name the icons of the menu; without `ts` only those that some component names too would come.
      icon: { clientBundle: { scan: { globInclude: ['src/**/*.{vue,ts}'] } } },
      theme: {
        colors: ['primary', 'secondary', 'success', 'info', 'warning', 'error'],
        defaultVariants: { size: 'lg' },
      },
      ui: {
        colors: {
          primary: 'peacock',
          secondary: 'marigold',
          neutral: 'sand' as 'stone',
          warning: 'marigold',
        },
        button: { slots: { base: 'font-semibold justify-center' } },
        card: { slots: { root: 'rounded-xl', body: 'p-4 sm:p-5' } },
        formField: { slots: { label: 'font-semibold', error: 'text-(--ui-error) font-medium' } },
        toast: { slots: { title: 'font-semibold' } },
      },
    }),
  ],
  define,
  resolve: {
    alias: [
      { find: '@', replacement: fileURLToPath(new URL('./src', import.meta.url)) },
      {
        find: /^@iconify\/vue$/,
        replacement: fileURLToPath(new URL('./src/shared/lib/iconify.ts', import.meta.url)),
      },
    ],
  },
  // The build that renders the pages runs once, in Node, and takes everything with it.
  ssr: { noExternal: true },
  build: {
    target: 'es2022',
    modulePreload,
    manifest: !isSsrBuild,
    assetsInlineLimit: 0,
    rolldownOptions: {
      // Who imports one call of the generated client, or one part of a feature from its index.ts, does not load the others.
      treeshake: {
        moduleSideEffects: [
          { test: /src\/shared\/api\/generated\//, sideEffects: false },
          { test: /src\/features\/[^/]+\/index\.ts$/, sideEffects: false },
        ],
      },
      output: {
        codeSplitting: isSsrBuild ? false : { groups },
        // The first page lists the files of all other pages: their names would be a kilobyte of it. Which file is
        // made of what is in .vite/manifest.json.
        ...(!isSsrBuild && { chunkFileNames: 'assets/[hash].js' }),
      },
    },
    chunkSizeWarningLimit: 600,
  },
  server: { host: '127.0.0.1', proxy: { [proxied]: { target: api, changeOrigin: false } } },
}))
