/**
 * Texts by route. `virtual:texts/<language>` tells for each route how to load the set of texts that its page needs: a set holds the
 * keys that are written out in the page and in what it imports, dialogs and other late parts included. A key that is put
 * together at run time counts by its beginning: `status.${state}` takes all of `status`.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { baseCompile } from '@intlify/message-compiler'
import type { Plugin } from 'vitest/config'

type Texts = { [key: string]: string | Texts }
const root = resolve('src')
const folder = join(root, 'locales')

/** What every page has from the start (src/locales/<language>/index.ts), by namespace: all of it, or all but these keys. */
const first: Record<string, RegExp | null> = {
  nav: null,
  common: /^(save|cancel|usual|moreText|lessText|file|filters|notFound|unsaved|optional)$/,
  errors:
    /^(?!(unknown|no_answer|offline|account_changed|account_blocked|unavailable|busy|timeout|too_many_requests|status_\d+)$)/,
  search: /^(results|filters|sort)$/,
}
const isFirst = (key: string): boolean => {
  const [name = '', group = ''] = key.split('.')
  const later = first[name]
  return later !== undefined && !later?.test(group)
}

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

const flat = (texts: Texts, prefix: string): [string, string][] =>
  Object.entries(texts).flatMap(([key, text]) =>
    typeof text === 'string'
      ? [[`${prefix}.${key}`, text] as [string, string]]
      : flat(text, `${prefix}.${key}`),
  )
function nested(entries: [string, string][]): Texts {
  const all: Texts = {}
  for (const [key, text] of entries) {
    const path = key.split('.')
    const last = path.pop() ?? ''
    let at = all
    for (const part of path) at = (at[part] ??= {}) as Texts
    at[last] = text
  }
  return all
}
function allOf(language: string): [string, string][] {
  return readdirSync(join(folder, language))
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) =>
      flat(JSON.parse(readFileSync(join(folder, language, file), 'utf8')) as Texts, file.slice(0, -5)),
    )
}

function resolved(source: string, importer: string): string | undefined {
  const path = source.startsWith('@/')
    ? join(root, source.slice(2))
    : source.startsWith('.')
      ? resolve(dirname(importer), source)
      : undefined
  return [path, `${path}.ts`, `${path}/index.ts`].find(
    (one) => one !== undefined && existsSync(one) && statSync(one).isFile(),
  )
}

/** `import { A, B } from '@/features/x'`: of what a feature offers, these parts alone are drawn in. */
const partImport = /import (?:type )?\{([^}]*)\} from '@\/features\/([a-z-]+)'/g
const offer = /export (?:type )?\{([^}]*)\} from '([^']+)'|export const (\w+) = .*import\('([^']+)'\)/g
function* partsOf(code: string): Iterable<string> {
  for (const [, names = '', feature = ''] of code.matchAll(partImport)) {
    const index = join(root, 'features', feature, 'index.ts')
    const offers = [...readFileSync(index, 'utf8').matchAll(offer)].flatMap(
      ([, several = '', from = '', one = '', later = '']) =>
        (several || one).split(',').map((name) => [name.trim().split(' as ').at(-1), from || later] as const),
    )
    for (const name of names.split(',').filter((part) => part.trim())) {
      const wanted = name
        .trim()
        .replace(/^type /, '')
        .split(' as ')[0]
      const source = offers.find(([offered]) => offered?.replace(/^type /, '') === wanted)?.[1]
      // What is not found so counts with all that the feature offers.
      yield (source && resolved(source, index)) || index
    }
  }
}

/** The files of the application that a file draws in, itself included. */
function graphOf(start: string): Set<string> {
  const seen = new Set<string>()
  const add = (file: string): void => {
    if (seen.has(file) || !/\.(vue|ts)$/.test(file) || file.includes('/generated/')) return
    seen.add(file)
    const code = readFileSync(file, 'utf8')
    for (const part of partsOf(code)) add(part)
    for (const [, source] of code
      .replaceAll(partImport, '')
      .matchAll(/(?:\bfrom|\bimport\(|\bimport)\s*['"]([^'"]+)['"]/g)) {
      const found = resolved(source ?? '', file)
      if (found) add(found)
    }
  }
  add(start)
  return seen
}

function keysIn(files: Iterable<string>, keys: readonly string[]): Set<string> {
  const found = new Set<string>()
  const take = (start: string) => {
    for (const key of keys) if (key === start || key.startsWith(`${start}.`)) found.add(key)
  }
  for (const file of files) {
    const source = readFileSync(file, 'utf8')
    for (const [, key] of source.matchAll(/['"`]([a-zA-Z-]+(?:\.[a-zA-Z0-9_]+)+)['"`]/g)) if (key) take(key)
    for (const [, start] of source.matchAll(/`([a-zA-Z-]+\.(?:[a-zA-Z0-9_]+\.)*)([a-zA-Z0-9_]*)\$\{/g))
      if (start) take(start.slice(0, -1))
  }
  return found
}

interface Route {
  path: string
  page: string
  title: string
}
const routeFiles = () =>
  readdirSync(join(root, 'features'))
    .map((feature) => join(root, 'features', feature, 'routes.ts'))
    .filter((file) => existsSync(file))

function routes(): Route[] {
  return routeFiles().flatMap((file) => {
    const source = readFileSync(file, 'utf8')
    const found = [
      ...source.matchAll(
        /path: '([^']+)',\s+component: \(\) => import\('([^']+)'\),\s+(?:props: .*\s+)?meta: \{\s*title: '([^']+)'/g,
      ),
    ]
    // A route that is not recognised would be a page without texts.
    if (found.length !== source.match(/\bcomponent: /g)?.length)
      throw new Error(`Not all routes are recognised in ${relative(root, file)}`)
    return found.map(([, path = '', page = '', title = '']) => ({
      path: path.replaceAll('\\\\', '\\'),
      page: resolve(dirname(file), page),
      title,
    }))
  })
}

/** Loaded once for all pages that may need them: errors of calls and of fields. */
const isShared = (key: string) => /^(errors|validation)\./.test(key)

/** Components beside the menu's entries: they are loaded late, on every page. */
const counts = () =>
  routeFiles().flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\bcount: \(\) => import\('([^']+)'\)/g)]
      .flatMap(([, source = '']) => [...graphOf(resolve(dirname(file), source))])
      .filter((part) => part.endsWith('.vue')),
  )

/** The keys of each set by its name: the routes' paths, `frame` around pages of signed-in users, `shared`. */
function sets(keys: readonly string[]): Map<string, Set<string>> {
  const own = (files: Iterable<string>, ...more: string[]) =>
    new Set([...keysIn(files, keys), ...more].filter((key) => !isFirst(key) && !isShared(key)))
  const frame = own([...graphOf(join(root, 'app/App.vue')), ...routeFiles(), ...counts()])
  const found = new Map([
    ['frame', frame],
    ['shared', new Set(keys.filter((key) => isShared(key) && !isFirst(key)))],
  ])
  for (const { path, page, title } of routes()) found.set(path, own(graphOf(page), title))
  found.set('/:rest(.*)*', own(graphOf(join(root, 'app/pages/NotFoundPage.vue')), 'common.notFound.title'))
  return found
}

export function routeTexts(): Plugin {
  let inBuild = false
  const finish = (texts: Texts) => `export default ${JSON.stringify(inBuild ? compiled(texts) : texts)}`
  const map = /^virtual:texts\/([a-z]+)$/
  const one = /^virtual:texts\/([a-z]+)\/(\d+)$/
  let known: Map<string, Set<string>> | undefined
  const all = () => (known ??= sets(allOf('en').map(([key]) => key)))

  return {
    name: 'doorstep:route-texts',
    enforce: 'pre',
    configResolved: ({ command }) => {
      inBuild = command === 'build'
    },
    buildStart: () => {
      known = undefined
    },
    generateBundle() {
      // For scripts/firstPages.mjs: the number of each set, by its place.
      if (!this.environment.config.build.ssr)
        this.emitFile({
          type: 'asset',
          fileName: '.vite/texts.json',
          source: JSON.stringify([...all().keys()]),
        })
    },
    handleHotUpdate: () => {
      known = undefined
    },
    async resolveId(source, importer) {
      if (map.test(source) || one.test(source)) return `\0${source}`
      const [, file] = /^(.+\.json)\?first$/.exec(source) ?? []
      const found = file && (await this.resolve(file, importer, { skipSelf: true }))
      return found ? `\0texts-first:${found.id}` : undefined
    },
    load(id) {
      const [, mapped] = map.exec(id.slice(1)) ?? []
      if (mapped) {
        const entries = [...all().keys()].map(
          (name, index) => `${JSON.stringify(name)}: () => import('virtual:texts/${mapped}/${index}')`,
        )
        return `export default {\n${entries.join(',\n')}\n}`
      }
      const [, language, index] = one.exec(id.slice(1)) ?? []
      if (language && index) {
        const keys = [...all().values()][Number(index)] ?? new Set()
        return { code: finish(nested(allOf(language).filter(([key]) => keys.has(key)))), moduleType: 'js' }
      }
      const [, file] = /^\0texts-first:(.+)$/.exec(id) ?? []
      if (file) {
        this.addWatchFile(file)
        const name = relative(folder, file).replace(/^.*\/|\.json$/g, '')
        const texts = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Texts)
        const picked = texts.filter(([key]) => isFirst(`${name}.${key}`))
        return { code: finish(Object.fromEntries(picked)), moduleType: 'js' }
      }
    },
  }
}

/** Texts of whole files, for specs. */
export function compiledTexts(): Plugin {
  return {
    name: 'doorstep:compiled-texts',
    enforce: 'pre',
    apply: 'build',
    config: () => ({ define: { __INTLIFY_DROP_MESSAGE_COMPILER__: 'true' } }),
  }
}
