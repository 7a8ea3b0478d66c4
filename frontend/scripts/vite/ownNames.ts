/**
 * Letters for the languages' own names, which pages in another language show (`Own Names` in main.css). Those of the committed font are
 * drawn in it. For others the build looks for the Anek font of their script among the installed packages, and has its file loaded for
 * these letters alone; without one they are drawn in the font of the device.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vitest/config'

/** Scripts that Anek has a font for, as its packages name them (Unicode, Script property). */
const scripts = [
  'Bengali', 'Devanagari', 'Gujarati', 'Gurmukhi', 'Kannada', 'Malayalam', 'Odia', 'Tamil', 'Telugu',
] // prettier-ignore
const unicodeName = (script: string): string => (script === 'Odia' ? 'Oriya' : script)
const committed = /'Own Names'[^}]*unicode-range: ([^;]+);/

/** What is not Latin in the names of the folders' languages, each letter once. */
export function lettersOf(locales: string): string[] {
  const names = readdirSync(locales)
    .map((folder) => join(locales, folder, 'name.ts'))
    .filter((file) => existsSync(file))
    .map((file) => /'(.+)'/.exec(readFileSync(file, 'utf8'))?.[1] ?? '')
  return [...new Set(names.join('').match(/[^\p{Script=Latin}\p{Script=Common}]/gu))].sort()
}

const codePoint = (letter: string): string =>
  `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

/** Faces for the letters that the committed font lacks, of those scripts that a package is there for. */
export function facesFor(css: string, locales: string, packages: string): string {
  const known = new Set(
    committed
      .exec(css)?.[1]
      ?.split(',')
      .map((one) => one.trim()),
  )
  const missing = lettersOf(locales).filter((letter) => !known.has(codePoint(letter)))
  return scripts
    .map((script) => {
      const name = script.toLowerCase()
      const file = `anek-${name}/files/anek-${name}-${name}-wght-normal.woff2`
      const isOfScript = new RegExp(`\\p{Script_Extensions=${unicodeName(script)}}`, 'u')
      const letters = missing.filter((letter) => isOfScript.test(letter))
      if (!letters.length || !existsSync(join(packages, '@fontsource-variable', file))) return ''
      return `@font-face {
  font-family: 'Own Names';
  font-display: swap;
  font-weight: 100 800;
  src: url('@fontsource-variable/${file}') format('woff2-variations');
  unicode-range: ${letters.map(codePoint).join(', ')};
}
`
    })
    .join('')
}

export function ownNames(): Plugin {
  return {
    name: 'doorstep:own-names',
    enforce: 'pre',
    transform(css, id) {
      if (!id.endsWith('src/styles/main.css')) return
      const faces = facesFor(css, 'src/locales', 'node_modules')
      return faces ? `${css}\n${faces}` : undefined
    },
  }
}
