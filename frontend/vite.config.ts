import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { baseCompile } from '@intlify/message-compiler'
import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import { transformWithOxc } from 'vite'
import { defineConfig, type Plugin } from 'vitest/config'

const api = process.env.DOORSTEP_API ?? 'http://127.0.0.1:5000'
/** What a browser may open as a page lives under /app/; everything else belongs to the API. */
const proxied = `^/(app/market\\.json$|(?!app(/|$)|@|src/|node_modules/).+)`

/** Calls go by XMLHttpRequest, which tells how far an upload is: axios's other way and, in the client, event streams (src/shared/live has them) are left out of the bundle. */
function oneAdapter(): Plugin {
  const noStreams = '\0no-streams'
  return {
    name: 'doorstep:one-adapter',
    enforce: 'pre',
    resolveId(source, importer) {
      if (/core\/serverSentEvents/.test(source) && /generated\/client\//.test(importer ?? ''))
        return noStreams
    },
    load(id) {
      if (/axios\/lib\/adapters\/fetch\.js/.test(id))
        return 'export const getFetch = () => false; export default { getFetch }'
      if (id === noStreams)
        return 'export const createSseClient = () => { throw new Error("left out of the bundle") }'
    },
  }
}

/**
 * Nuxt UI writes its colours into an inline <style> at run time, which a strict policy refuses: ours are in colours.css.
 * Its icons would all come with the first page: firstIcons() brings that page's own, i18n.ts the others later.
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

/** Files whose icons the first page may show. */
const early = [
  'src/app',
  'src/features/search',
  'src/features/notifications/components',
  'src/shared/ui/PlaceInput.vue',
  'src/shared/ui/RatingText.vue',
]

function namesIn(path: string, found = new Set<string>()): Set<string> {
  if (statSync(path).isDirectory()) for (const entry of readdirSync(path)) namesIn(join(path, entry), found)
  else
    for (const [, name] of readFileSync(path, 'utf8').matchAll(/i-lucide-([a-z0-9-]+)/g))
      if (name) found.add(name)
  return found
}

function firstIcons(): Plugin {
  const name = 'virtual:first-icons'
  return {
    name: 'doorstep:first-icons',
    resolveId: (id) => (id === name ? name : undefined),
    load(id) {
      if (id !== name) return
      const routes = readdirSync('src/features').map((feature) => join('src/features', feature, 'routes.ts'))
      const { icons, aliases } = JSON.parse(
        readFileSync('node_modules/@iconify-json/lucide/icons.json', 'utf8'),
      ) as Lucide
      const wanted = new Set(
        [...early, ...routes].filter((path) => existsSync(path)).flatMap((path) => [...namesIn(path)]),
      )
      const picked = [...wanted].map((icon) => {
        const body = (icons[icon] ?? icons[aliases[icon]?.parent ?? ''])?.body
        if (!body) throw new Error(`There is no icon i-lucide-${icon}`)
        return [icon, body]
      })
      return `export default ${JSON.stringify(Object.fromEntries(picked))}`
    },
  }
}
interface Lucide {
  icons: Record<string, { body: string }>
  aliases: Record<string, { parent: string }>
}

/** The service worker is a script of its own at a fixed address, because a browser looks for its next version there. */
function serviceWorker(): Plugin {
  const source = 'src/service-worker.ts'
  const script = async () => {
    const { code } = await transformWithOxc(readFileSync(source, 'utf8'), source)
    return code.replace(/^export *\{ *\};?$/m, '') // a classic script: not all browsers have workers as modules
  }
  return {
    name: 'doorstep:service-worker',
    configureServer: ({ middlewares }) => {
      middlewares.use('/app/service-worker.js', (_, response) => {
        response.setHeader('Content-Type', 'text/javascript')
        void script().then((code) => response.end(code))
      })
    },
    async generateBundle() {
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source: await script() })
    },
  }
}

type Texts = { [key: string]: string | Texts }

/** Texts with placeholders or plurals are compiled here, so that the browser need not bring the compiler along. */
function compiled(texts: Texts): object {
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => {
      if (typeof text !== 'string') return [key, compiled(text)]
      return [
        key,
        /[{}|@]/.test(text) ? baseCompile(text, { jit: true, location: false, optimize: true }).ast : text,
      ]
    }),
  )
}

/** Texts of the first page's own namespaces that it does not need: they come with those of the other pages. */
const later: Record<string, RegExp> = {
  common: /^(save|cancel|usual|moreText|lessText|more|less|file|filters|notFound|unsaved|optional)$/,
  errors:
    /^(?!(unknown|no_answer|offline|account_changed|account_blocked|unavailable|busy|timeout|too_many_requests|status_\d+)$)/,
  search: /^(results|filters|sort)$/,
}

/** `errors.json?first` holds what the first page may say, `errors.json?later` the rest. */
function splitTexts(): Plugin {
  const mark = /^\0texts:(.+\/([^/]+)\.json):(first|later)$/
  let inBuild = false
  return {
    name: 'doorstep:split-texts',
    enforce: 'pre',
    configResolved: ({ command }) => {
      inBuild = command === 'build'
    },
    async resolveId(source, importer) {
      const [, file, part] = /^(.+\.json)\?(first|later)$/.exec(source) ?? []
      const found = file && (await this.resolve(file, importer, { skipSelf: true }))
      return found ? `\0texts:${found.id}:${part}` : undefined
    },
    load(id) {
      const [, file, name, part] = mark.exec(id) ?? []
      if (!part || !file || !name) return
      this.addWatchFile(file)
      const texts = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Texts).filter(
        ([key]) => (later[name]?.test(key) ?? false) === (part === 'later'),
      )
      const picked = Object.fromEntries(texts)
      return {
        code: `export default ${JSON.stringify(inBuild ? compiled(picked) : picked)}`,
        moduleType: 'js',
      }
    },
  }
}

function compiledTexts(): Plugin {
  return {
    name: 'doorstep:compiled-texts',
    enforce: 'pre',
    apply: 'build',
    config: () => ({ define: { __INTLIFY_DROP_MESSAGE_COMPILER__: 'true' } }),
    transform(code, id) {
      if (/\/src\/locales\/[^/]+\/[^/]+\.json$/.test(id))
        return { code: JSON.stringify(compiled(JSON.parse(code) as Texts)), map: null }
    },
  }
}

/** Parts that lists and search boxes are made of: all of them are on the landing page, and most pages show some. */
const lists = [
  /@tanstack|@nuxt\/ui\/.*components\/(Input|Skeleton)\.vue|nuxt-ui-templates\/ui\/(input|skeleton)(?!-)/,
  /src\/shared\/(ui\/(PageHeader|KeysetList|EmptyState|ErrorState|FilterTabs|TypeAhead|PlaceInput|RatingText|MoneyText)|lib\/(time|money)|composables\/useKeysetList)/,
  /src\/features\/(search\/components\/(TaskCard|SearchBox)|tasks\/components\/TaskPicture)/,
]
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
  { name: 'lists', test: (id: string) => lists.some((part) => part.test(id)) },
  { name: 'parts', test: parts, minShareCount: 3 },
]

export default defineConfig({
  base: '/app/',
  plugins: [
    oneAdapter(),
    staticColours(),
    splitTexts(),
    compiledTexts(),
    firstIcons(),
    serviceWorker(),
    vue(),
    ui({
      autoImport: false,
      components: { dts: false },
      colorMode: false,
      experimental: { componentDetection: true },
      icon: { clientBundle: { scan: true } },
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
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  resolve: {
    alias: [
      { find: '@', replacement: fileURLToPath(new URL('./src', import.meta.url)) },
      {
        find: /^@iconify\/vue$/,
        replacement: fileURLToPath(new URL('./src/shared/lib/iconify.ts', import.meta.url)),
      },
    ],
  },
  build: {
    target: 'es2022',
    manifest: true,
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
        codeSplitting: { groups },
      },
    },
    chunkSizeWarningLimit: 600,
  },
  server: { host: '127.0.0.1', proxy: { [proxied]: { target: api, changeOrigin: false } } },
  test: {
    environment: 'happy-dom',
    environmentOptions: { happyDOM: { url: 'http://localhost:5000/app/' } },
    include: ['src/**/*.spec.ts'],
    setupFiles: ['src/shared/testing/setup.ts'],
    maxWorkers: 2,
    testTimeout: 60_000, // a busy machine is slow, not wrong
    hookTimeout: 60_000,
    silent: 'passed-only',
  },
})
