import sets from 'virtual:texts/en'
import hindi from 'virtual:texts/hi'
import { expect, it, vi } from 'vitest'
import { featureRoutes } from './router'
import type { Texts } from '@/locales/byName'

// Descriptions stand only in the heads of pages, where the build writes them.
const english = import.meta.glob<Texts>(['../locales/en/*.json', '!../locales/en/descriptions.json'], {
  eager: true,
  import: 'default',
})

function keysOf(texts: Texts, prefix = ''): string[] {
  return Object.entries(texts).flatMap(([key, text]) =>
    typeof text === 'string' ? [`${prefix}${key}`] : keysOf(text, `${prefix}${key}.`),
  )
}
const all = Object.entries(english).flatMap(([path, texts]) =>
  keysOf(texts, `${path.replace(/^.*\/|\.json$/g, '')}.`),
)
const set = async (name: string): Promise<string[]> => keysOf((await sets[name]?.())?.default ?? {})

// Loaded again: what the specs around this one have loaded was merged into the first texts.
vi.resetModules()
const first = keysOf((await import('@/locales/en/index')).default as Texts)

it.each(featureRoutes.map(({ path }) => path))('has a set of texts for the page at %s', async (path) => {
  expect(Object.keys(hindi)).toContain(path)
  expect((await set(path)).filter((key) => !all.includes(key))).toEqual([])
})

it('has each text in some set or in the first ones, and in the first ones only', async () => {
  const others = new Set((await Promise.all(Object.keys(sets).map(set))).flat())
  expect(all.filter((key) => !others.has(key) && !first.includes(key))).toEqual([])
  expect(first.filter((key) => others.has(key))).toEqual([])
})

it('knows keys that are put together at run time by their beginning, in dialogs of a page as well', async () => {
  const page = await set('/requests')
  expect(page).toEqual(expect.arrayContaining(['status.requested', 'status.expired']))
  expect(await set('/admin/jobs')).toEqual(expect.arrayContaining(['jobs.runTitle']))
})

it('has what counts beside the menu say on every page', async () => {
  expect(await set('frame')).toEqual(expect.arrayContaining(['requests.inbox.news', 'conversations.unread']))
})

it('has error texts by status in the entry page, before other texts are loaded', () => {
  const needed = ['unknown', 'no_answer', 'offline', 'status_429', 'status_500', 'status_502', 'status_503']
  expect(needed.filter((key) => !first.includes(`errors.${key}`))).toEqual([])
  expect(first).not.toContain('errors.overlapping_request')
})
