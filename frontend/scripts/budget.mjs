// Fails when the JavaScript that the first page needs is more than 150 kB, gzipped.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const limit = 150_000
const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
const landing = Object.keys(manifest).find((key) => key.endsWith('features/search/pages/LandingPage.vue'))

/** The chunks that one entry draws in by plain imports, itself first. */
function chunksOf(key, seen = new Set()) {
  if (seen.has(key)) return seen
  seen.add(key)
  for (const next of manifest[key].imports ?? []) chunksOf(next, seen)
  return seen
}

const keys = new Set(['index.html', landing].filter(Boolean).flatMap((key) => [...chunksOf(key)]))
let total = 0
for (const key of keys) {
  const { file } = manifest[key]
  if (!file.endsWith('.js')) continue
  const size = gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length
  total += size
  console.log(`${(size / 1000).toFixed(1).padStart(7)} kB  ${file}`)
}
console.log(`${(total / 1000).toFixed(1).padStart(7)} kB  JavaScript at first load, gzipped (limit ${limit / 1000} kB)`)
if (total > limit) process.exit(1)
