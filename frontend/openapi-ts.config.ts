import { readFileSync } from 'node:fs'
import { defineConfig } from '@hey-api/openapi-ts'

interface Contract {
  paths: Record<string, Record<string, { operationId?: string; tags?: string[] }>>
}
const contract = JSON.parse(readFileSync('../openapi.json', 'utf8')) as Contract

/** The file of each operation: its first tag, 'Audit trail' as audit-trail. */
const files = new Map<string, string>()
for (const { operationId, tags } of Object.values(contract.paths).flatMap(Object.values))
  if (operationId && tags?.[0]) files.set(operationId, tags[0].toLowerCase().replaceAll(' ', '-'))

/** What the query plugin appends to the name of an operation. */
const suffix = /(Infinite)?(QueryKey|Options)$|Mutation$/
/** Functions of the query plugin that all its files need, and that it does not export by itself. */
const helpers = new Set(['createQueryKey', 'createInfiniteParams'])

export default defineConfig({
  input: '../openapi.json',
  output: { path: 'src/shared/api/generated' },
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
})
