import { describe, expect, it } from 'vitest'

const sources = import.meta.glob<string>(
  ['../**/*.vue', '../**/*.ts', '!../**/*.spec.ts', '!../shared/api/generated/**'],
  { query: '?raw', import: 'default', eager: true },
)
const files = import.meta.glob<Record<string, unknown>>('./*/*.json', { import: 'default', eager: true })

function flat(texts: object, prefix: string): [string, string][] {
  return Object.entries(texts).flatMap(([key, text]) =>
    typeof text === 'string'
      ? [[`${prefix}.${key}`, text] as [string, string]]
      : flat(text as object, `${prefix}.${key}`),
  )
}
const languages = new Map<string, Map<string, string>>()
for (const [path, texts] of Object.entries(files)) {
  const [, language, name] = /^\.\/([^/]+)\/(.+)\.json$/.exec(path) ?? []
  if (!language || !name) continue
  languages.set(language, new Map([...(languages.get(language) ?? []), ...flat(texts, name)]))
}
const english = languages.get('en') ?? new Map<string, string>()
const namespaces = new Set([...english.keys()].map((key) => key.split('.')[0]))

/** A text, or a group of them whose last word is put on later. */
const known = (key: string) =>
  english.has(key) || [...english.keys()].some((one) => one.startsWith(`${key}.`))

describe('texts', () => {
  it('exist for every key that is written out in the source', () => {
    const missing: string[] = []
    for (const [path, source] of Object.entries(sources)) {
      for (const [, key] of source.matchAll(/['`]([a-zA-Z-]+(?:\.[a-zA-Z0-9_]+)+)['`]/g)) {
        if (key && namespaces.has(key.split('.')[0]) && !known(key)) missing.push(`${path}: ${key}`)
      }
    }
    expect(missing).toEqual([])
  })

  it('exist for the prefix of every composed key', () => {
    const missing: string[] = []
    for (const [path, source] of Object.entries(sources)) {
      for (const [, start] of source.matchAll(/\bt[e]?\(\s*`([a-z]+\.[a-zA-Z0-9_.]*)\$\{/g)) {
        if (start && ![...english.keys()].some((key) => key.startsWith(start)))
          missing.push(`${path}: ${start}`)
      }
    }
    expect(missing).toEqual([])
  })

  it.each([...languages.keys()].filter((language) => language !== 'en'))(
    '%s has the same keys, placeholders and plural forms as English',
    (language) => {
      const forms = (text: string) => text.split(' | ').length
      const holders = (text: string) =>
        [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort()
      const other = languages.get(language) ?? new Map<string, string>()
      expect([...other.keys()].sort()).toEqual([...english.keys()].sort())
      for (const [key, text] of english) {
        const told = other.get(key) ?? ''
        expect([key, holders(told), forms(told)]).toEqual([key, holders(text), forms(text)])
        expect([key, told.trim()]).not.toEqual([key, ''])
      }
    },
  )

  it('do not contain the word service', () => {
    // Put together here, so that the word stands nowhere in the source.
    const unwanted = new RegExp([['ser', 'vice'].join(''), ['से', 'वा'].join('')].join('|'), 'i')
    const texts = [...languages.values()].flatMap((one) => [...one])
    expect(texts.filter(([, text]) => unwanted.test(text))).toEqual([])
  })
})
