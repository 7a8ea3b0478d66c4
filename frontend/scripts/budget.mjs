// Fails when the JavaScript that the landing page needs is more than 150 kB, gzipped; says what the other first pages need.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { dist, firstPages, scriptsOf } from './firstPages.mjs'

const limit = 150_000
const kilobytes = (size) => `${(size / 1000).toFixed(1).padStart(7)} kB`
const sizeOf = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length

for (const name of Object.keys(firstPages)) {
  const files = scriptsOf(name).map((file) => [file, sizeOf(file)])
  const total = files.reduce((sum, [, size]) => sum + size, 0)
  if (name === 'landing') {
    for (const [file, size] of files) console.log(`${kilobytes(size)}  ${file}`)
    console.log(`${kilobytes(total)}  JavaScript at first load, gzipped (limit ${limit / 1000} kB)`)
    if (total > limit) process.exitCode = 1
  } else {
    console.log(`${kilobytes(total)}  ${name}, ${files.length} files`)
  }
}
