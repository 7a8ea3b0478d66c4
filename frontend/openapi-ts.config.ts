import { readFileSync, rmSync } from 'node:fs'
import { defineConfig, type UserConfig } from '@hey-api/openapi-ts'
import { bodiesOf, type Contract } from './scripts/bodies'

const contract = JSON.parse(readFileSync('../openapi.json', 'utf8')) as Contract

/** The file of each operation: its first tag, 'Audit trail' as audit-trail. */
const files = new Map<string, string>()
for (const { operationId, tags } of Object.values(contract.paths).flatMap(Object.values))
  if (operationId && tags?.[0]) files.set(operationId, tags[0].toLowerCase().replaceAll(' ', '-'))

/** What the query plugin appends to the name of an operation. */
const suffix = /(Infinite)?(QueryKey|Options)$|Mutation$/
/** Functions of the query plugin that all its files need, and that it does not export by itself. */
const helpers = new Set(['createQueryKey', 'createInfiniteParams'])

const generated = 'src/shared/api/generated'
// The two below run at once and one writes into the other's folder, so neither may empty it.
rmSync(generated, { recursive: true, force: true })

const client: UserConfig = {
  input: '../openapi.json',
  output: { path: generated, clean: false },
  logs: { level: 'error' },
  parser: {
    // Lists grow by a cursor. `page` is the number of a page of one document.
    pagination: { keywords: ['cursor'] },
    hooks: {
      events: {
        'node:set:before': ({ node }) => {
          if (node?.symbol && helpers.has(node.symbol.name) && 'export' in node)
            (node.export as () => void).call(node)
        },
      },
      symbols: {
        // One file for each tag: bundlers split by file, so a page loads the calls of its own feature only.
        getFilePath: ({ name, meta }) => {
          if (meta?.plugin === '@hey-api/sdk') return files.has(name) ? `sdk/${files.get(name)}` : undefined
          if (meta?.plugin === '@tanstack/vue-query')
            return `queries/${files.get(name.replace(suffix, '')) ?? 'shared'}`
          return undefined
        },
      },
    },
  },
  plugins: [
    { name: '@hey-api/client-axios', throwOnError: true, runtimeConfigPath: './src/shared/api/client' },
    '@hey-api/typescript',
    '@hey-api/sdk',
    {
      name: '@tanstack/vue-query',
      comments: false,
      includeInEntry: true,
      // By its tags a key is found when something of the feature has changed (invalidate.ts).
      queryKeys: { tags: true },
      infiniteQueryKeys: { tags: true },
      // What a mutation invalidates where it says nothing else (useApiMutation.ts).
      mutationOptions: { meta: ({ tags }) => ({ tags }) },
    },
  ],
}

/** Schemas of the bodies, for forms: `createRequestBody` is what `createRequest` sends. */
const bodies: UserConfig = {
  input: bodiesOf(contract),
  output: { path: `${generated}/schemas`, clean: false },
  logs: { level: 'error' },
  parser: {
    hooks: {
      symbols: {
        getFilePath: ({ meta }) =>
          typeof meta?.resourceId === 'string' ? files.get(meta.resourceId) : undefined,
      },
    },
  },
  plugins: [
    {
      name: 'valibot',
      comments: false,
      includeInEntry: true,
      definitions: false,
      responses: false,
      requests: { body: { name: '{{name}}Body' } },
      $resolvers: {
        // The server trims every text but passwords, and measures what is left.
        string: ({ $, nodes, schema, symbols: { v } }) => {
          if (schema.accessScope === 'write') return
          nodes.base = () => [$(v).attr('string').call(), $(v).attr('trim').call()]
        },
      },
    },
  ],
}

export default defineConfig([client, bodies])
