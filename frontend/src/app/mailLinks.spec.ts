import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { featureRoutes, router } from './router'

const backend = '../backend'
const files = [
  'domain/notifications/messages.py',
  'domain/accounts/links.py',
  ...['templates/mail', 'templates/reports'].flatMap((folder) =>
    readdirSync(`${backend}/${folder}`).map((name) => `${folder}/${name}`),
  ),
]
const sources = files.map((file) => readFileSync(`${backend}/${file}`, 'utf8'))
const examples: [RegExp, string][] = [
  [/\{\{\s*one\.id\s*\}\}|\{request_id\}/g, '1'],
  [/\{period\}/g, '2026-10'],
]
const filled = (path: string) =>
  examples.reduce((text, [holder, value]) => text.replaceAll(holder, value), path)
const links = [
  ...new Set(
    sources.flatMap((source) =>
      [...source.matchAll(/\/app(\/(?:\{\{[^}]*\}\}|[\w/{}.-])*)/g)].map(([, path]) => filled(path ?? '')),
    ),
  ),
]

describe('links in mails and notifications', () => {
  it('are found', () => {
    expect(links).toEqual(
      expect.arrayContaining([
        '/requests/1',
        '/reports/2026-10',
        '/password/reset',
        '/email/confirm',
        '/profile/messages',
      ]),
    )
  })

  it.each(links)('%s leads to a page', (link) => {
    const { matched } = router.resolve(link)
    expect(featureRoutes.map(({ path }) => path)).toContain(matched[0]?.path)
  })
})
