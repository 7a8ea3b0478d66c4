// Writes dist/pages/: each first page with a visitor's view of it drawn in, which shows while the scripts are on their way,
// and with all of those named, so that the browser asks for them at once and not one after another.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { dist, firstPages, scriptsOf } from './firstPages.mjs'

const run = promisify(execFile)
const built = readFileSync(new URL('index.html', dist), 'utf8')
const root = '<div id="app" class="isolate"></div>'
// The head holds what is asked for first: the sheet, which alone the first paint waits for, then all scripts at once.
const ours = /\n *<(script type="module"|link rel="(modulepreload|stylesheet)").*/g
const [sheet] = /<link rel="stylesheet".*?>/.exec(built)
const { file: letters } = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))[
  'node_modules/@fontsource-variable/anek-latin/files/anek-latin-latin-wght-normal.woff2'
]
const font = `<link rel="preload" as="font" type="font/woff2" crossorigin href="/app/${letters}">`
const plain = built.replace(ours, '')
if (!plain.includes(root) || plain === built) throw new Error('index.html is not as it was known here')

function head(name) {
  const scripts = scriptsOf(name).map((file) => `<link rel="modulepreload" crossorigin href="/app/${file}">`)
  const market =
    firstPages[name].path === '/'
      ? []
      : ['<link rel="preload" as="fetch" crossorigin href="/app/market.json">']
  return [sheet, font, ...scripts, ...market].map((line) => `    ${line}\n`).join('')
}

/**
 * Starts the application once what was drawn is painted, file by file with a breath between them: evaluated in one go they hold
 * up a slow phone. No frame comes in a tab that nobody looks at; there it starts at once.
 */
function start(name) {
  const files = JSON.stringify(scriptsOf(name).map((file) => `/app/${file}`))
  return `<script>
      ;(() => {
        const start = async () => {
          for (const file of ${files}) {
            await import(file)
            await new Promise((resolve) => setTimeout(resolve))
          }
        }
        const begin = () => start().catch(() => dispatchEvent(new Event('doorstep:unstarted')))
        if (document.hidden) begin()
        else requestAnimationFrame(() => setTimeout(begin))
      })()
    </script>`
}

async function write(name) {
  const { stdout } = await run(
    process.execPath,
    [fileURLToPath(new URL('ahead.mjs', import.meta.url)), firstPages[name].path],
    { maxBuffer: 1e7 },
  )
  const { title, html } = JSON.parse(stdout)
  const page = plain
    .replace(
      /<title>.*?<\/title>/,
      () => `<title>${title.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</title>`,
    )
    .replace('  </head>', () => `${head(name)}  </head>`)
    .replace('  </body>', () => `    ${start(name)}\n  </body>`)
    .replace(root, () => `<div id="app" class="isolate">${html}</div>`)
  writeFileSync(new URL(`pages/${name}.html`, dist), page)
}

mkdirSync(new URL('pages/', dist), { recursive: true })
await Promise.all(Object.keys(firstPages).map(write))
