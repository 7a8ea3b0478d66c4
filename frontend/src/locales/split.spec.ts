import { expect, it, vi } from 'vitest'
import type { Texts } from './byName'

type Namespaces = Record<string, Texts | undefined>
const shared = ['common', 'errors', 'nav', 'search'] as const
const full = import.meta.glob<Texts>(
  ['./en/common.json', './en/errors.json', './en/nav.json', './en/search.json'],
  { eager: true, import: 'default' },
)

// Loaded again: what the specs around this one have loaded was merged into the first page's texts.
vi.resetModules()
const first = (await import('./en/index')).default as Namespaces
const later = (await import('./en/rest')).default as Namespaces

it.each(shared)(
  'gives each text of %s to the first page or to the others, and to one of them only',
  (name) => {
    const [one, two] = [first[name] ?? {}, later[name] ?? {}]
    expect({ ...one, ...two }).toEqual(full[`./en/${name}.json`])
    expect(Object.keys(one).filter((key) => key in two)).toEqual([])
  },
)

it('has error texts by status in the entry page, before other texts are loaded', () => {
  const needed = ['unknown', 'no_answer', 'offline', 'status_429', 'status_500', 'status_502', 'status_503']
  expect(needed.filter((key) => !(key in (first.errors ?? {})))).toEqual([])
  expect(first.errors).not.toHaveProperty('overlapping_request')
})
