import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { facesFor, lettersOf, ownNames } from '../../../scripts/vite/ownNames'

const css = readFileSync('src/styles/main.css', 'utf8')
let folder = ''

/** A third language, as a new folder with its own name. */
function add(code: string, name: string): void {
  mkdirSync(join(folder, 'locales', code))
  writeFileSync(join(folder, 'locales', code, 'name.ts'), `export default '${name}'\n`)
}

function install(script: string): void {
  const files = join(folder, '@fontsource-variable', `anek-${script}`, 'files')
  mkdirSync(files, { recursive: true })
  writeFileSync(join(files, `anek-${script}-${script}-wght-normal.woff2`), '')
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-names-'))
  for (const code of ['en', 'hi'])
    cpSync(`src/locales/${code}/name.ts`, join(folder, 'locales', code, 'name.ts'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('draws the current names in the committed font, which has their letters and no others', () => {
  const range = /'Own Names'[^}]*unicode-range: ([^;]+);/.exec(css)?.[1] ?? ''
  const covered = range
    .split(',')
    .map((one) => String.fromCodePoint(Number.parseInt(one.trim().slice(2), 16)))
  expect(covered.sort()).toEqual(lettersOf('src/locales'))
  expect(facesFor(css, 'src/locales', 'node_modules')).toBe('')
  const transform = ownNames().transform as (css: string, id: string) => string | undefined
  expect(transform(css, '/frontend/src/styles/main.css'), 'the sheet stays as it is').toBeUndefined()
})

it('finds the font of a new language among the packages, for the letters of its name', () => {
  add('ta', 'தமிழ்')
  install('tamil')
  const face = facesFor(css, join(folder, 'locales'), folder)
  expect(face).toContain("url('@fontsource-variable/anek-tamil/files/anek-tamil-tamil-wght-normal.woff2')")
  expect(/unicode-range: (.*);/.exec(face)?.[1]).toBe('U+0BA4, U+0BAE, U+0BB4, U+0BBF, U+0BCD')
})

it('needs a font for those letters alone that the committed one lacks', () => {
  add('mr', 'मराठी')
  install('devanagari')
  expect(/unicode-range: (.*);/.exec(facesFor(css, join(folder, 'locales'), folder))?.[1]).toBe(
    'U+0920, U+092E, U+0930, U+093E',
  )
})

it('leaves a script without a package to the device, and Latin names to the font that is there', () => {
  add('ur', 'اردو')
  add('kn', 'ಕನ್ನಡ')
  add('fr', 'Français')
  expect(facesFor(css, join(folder, 'locales'), folder)).toBe('')
})
