/** Where an import of the sources leads, for eslint: '@/' is src, and a file may be named without its ending. */
import { existsSync, statSync } from 'node:fs'
import { dirname, join, resolve as pathOf } from 'node:path'

const isFile = (path) => existsSync(path) && statSync(path).isFile()

export const interfaceVersion = 2
export function resolve(source, file) {
  const [name = ''] = source.split('?')
  if (!/^(@|\.{1,2})\//.test(name)) return { found: false }
  const base = name.startsWith('@/')
    ? join(import.meta.dirname, '../src', name.slice(2))
    : pathOf(dirname(file), name)
  const path = [base, `${base}.ts`, `${base}/index.ts`].find(isFile)
  return path ? { found: true, path } : { found: false }
}
