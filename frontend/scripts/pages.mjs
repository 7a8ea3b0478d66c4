// Writes dist/pages/: each entry page in each language, rendered as a visitor first sees it, with the styles that it needs in it
// and all scripts named that it needs, so that the browser asks for them at once and not one after another; templates for the
// pages that the server fills with data (templates.mjs); and manifest.json, the hashes of what stands inline in each page, from
// which the server makes the content policy.
//
// In each page the server may replace two blocks, of which there is one each:
//   <!--head--> ... <!--/head-->      the title and the description
//   <main id="main" ...> ... </main>  the content; without a comment, since Vue would take it for a part of the page
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { criticalCss, takeFontFaces } from './criticalCss.mjs'
import { dist, firstPages, languages, scriptsOf } from './firstPages.mjs'
import { templatesOf } from './templates.mjs'

process.env.NODE_ENV = 'production'
const prerender = new URL('../node_modules/.cache/prerender/prerender.js', import.meta.url)
let applications = 0

/** Each page by an application of its own: router, texts and cached answers are one of each in a loaded module. */
const application = () => import(`${prerender}?${(applications += 1)}`)
const render = async (...what) => (await application()).render(...what)
const { words, profileWords, descriptions, formatMoney, formatDuration, directionOf } = await application()

const built = readFileSync(new URL('index.html', dist), 'utf8')
const root = '<div id="app" class="isolate"></div>'
// The application's own lines: its sheet and its scripts.
const ours = /\n *<(script type="module"|link rel="(modulepreload|stylesheet)").*/g
const [sheet] = /<link rel="stylesheet".*?>/.exec(built)
const sheetFile = new URL(/href="\/app\/([^"]+)"/.exec(sheet)[1], dist)
// In the sheet, which comes later, the same faces would count as new ones, to be loaded again after the first paint.
const { faces, rest: css } = takeFontFaces(readFileSync(sheetFile, 'utf8'))
if (!faces) throw new Error('The sheet has no font faces; the pages have been made of this build already')
writeFileSync(sheetFile, css)
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))
const fontOf = (name) => Object.entries(manifest).find(([key]) => key.endsWith(name))[1].file
const fonts = {
  en: ['anek-latin-latin-wght-normal.woff2'],
  hi: ['anek-latin-latin-wght-normal.woff2', 'anek-devanagari-hi.woff2'],
}
/** A language in a script that we have no font for is drawn in the device's, beside our Latin letters. */
const fontsOf = (language) => fonts[language] ?? fonts.en
/** What the button for another language says, in letters that the device may not have. */
const ownNamesOf = (language) => (fontsOf(language).length > 1 ? [] : ['own-names.woff2'])
// For pages with prices.
const rupee = 'anek-devanagari-latin-ext-wght-normal.woff2'
const plain = built.replace(ours, '')
if (!plain.includes(root) || plain === built) throw new Error('index.html is not as it was known here')

/**
 * A page starts in the fonts of the device (late-font in main.css), and changes to its own only if these are there before its first
 * frame with content: exchanged later they would move text. `font-display: optional` leaves that to the browser, and one that is busy exchanges
 * them all the same. A page without JavaScript shows its fonts as they come.
 */
const fontCheck = (letters) => `<script>
      ;(() => {
        const { classList } = document.documentElement
        let decided = false
        classList.add('late-font')
        document.fonts.load("1em 'Anek Latin Variable', 'Anek Devanagari Variable'", '${letters}').then(
          () => decided || classList.remove('late-font'),
          () => undefined,
        )
        const decide = () => {
          decided = document.querySelector('#app:not(:empty), #served') !== null
          if (!decided) requestAnimationFrame(decide)
        }
        requestAnimationFrame(decide)
      })()
    </script>`
const lettersOf = (hasPrices, language) => `a${hasPrices ? '₹' : ''}${language === 'hi' ? 'अ' : ''}`

const lines = (...all) => all.map((line) => `    ${line}\n`).join('')
const preloaded = (names) =>
  names.map(
    (font) => `<link rel="preload" as="font" type="font/woff2" crossorigin href="/app/${fontOf(font)}">`,
  )
const head = (name, language, files) =>
  lines(
    ...preloaded([
      ...fontsOf(language),
      ...ownNamesOf(language),
      ...(firstPages[name].hasForm ? [] : [rupee]),
    ]),
    // The whole sheet comes after the first paint; `start` turns it on.
    sheet.replace('>', ' media="print" data-later>'),
    `<noscript>${sheet}</noscript>`,
    ...files.map((file) => `<link rel="modulepreload" crossorigin href="/app/${file}">`),
    '<link rel="preload" as="fetch" crossorigin href="/app/market.json">',
  )

/**
 * Starts the application once the page is painted, file by file with a pause between them: evaluated in one go they block a
 * slow phone. No frame comes in a tab that nobody looks at; there it starts at once.
 */
const start = (files) => `<script>
      ;(() => {
        const start = async () => {
          const later = document.querySelector('link[data-later]')
          if (later) later.media = 'all'
          for (const file of ${JSON.stringify(files.map((file) => `/app/${file}`))}) {
            await import(file)
            await new Promise((resolve) => setTimeout(resolve))
          }
        }
        const begin = () => start().catch(() => dispatchEvent(new Event('doorstep:unstarted')))
        if (document.hidden) begin()
        else requestAnimationFrame(() => setTimeout(begin))
      })()
    </script>`

function checked(html, where) {
  const problem = [
    [!/<h1/.test(html), 'has no heading'],
    [/ style="/.test(html), 'has a style that the content policy refuses'],
    [/>[a-z]+(\.[a-zA-Z_]+)+</.test(html), 'shows the key of a text'],
  ].find(([wrong]) => wrong)
  if (problem) throw new Error(`The page ${where} ${problem[1]}`)
  return html
}
/** A page without content, or with what the server writes beside the application: drawn by the whole sheet. */
function emptyPage(language, about) {
  const files = scriptsOf('empty', language)
  return inLanguage(plain, language, about.any)
    .replace(
      '  </head>',
      () =>
        `    <style>${faces}</style>\n${lines(
          fontCheck(lettersOf(false, language)),
          ...preloaded(fontsOf(language)),
          sheet,
          ...files.map((file) => `<link rel="modulepreload" crossorigin href="/app/${file}">`),
        )}  </head>`,
    )
    .replace('  </body>', () => `    ${start(files)}\n  </body>`)
}
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
const inLanguage = (page, language, about) => {
  const direction = directionOf(language) === 'rtl' ? ' dir="rtl"' : ''
  return page
    .replace('<html lang="en">', `<html lang="${language}"${direction}>`)
    .replace(/(name="description"\s+content=")[^"]*/, (_, begin) => begin + escaped(about))
}

const policies = {}
const hash = (text) => `sha256-${createHash('sha256').update(text).digest('base64')}`
function note(name, page) {
  const all = (tag) =>
    [...page.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, 'g'))].map(([, text]) => hash(text))
  policies[name] = { scripts: all('script'), styles: all('style') }
}

function pageOf(name, language, style, about) {
  const files = scriptsOf(name, language)
  return (title, html, data = '') =>
    inLanguage(plain, language, about[name] ?? about.any)
      .replace(/<title>.*?<\/title>/, () => `<title>${title}</title>`)
      .replace(
        '  </head>',
        () =>
          `    <style>${faces}${style}</style>\n${lines(fontCheck(lettersOf(!firstPages[name].hasForm, language)))}${head(name, language, files)}  </head>`,
      )
      .replace('  </body>', () => `${data}    ${start(files)}\n  </body>`)
      .replace(/\n *<noscript>\s*<p>[^]*?<\/noscript>/, (notice) => (firstPages[name].hasForm ? notice : ''))
      .replace(root, () => `<div id="app" class="isolate">${checked(html, name)}</div>`)
}

mkdirSync(new URL('pages/', dist), { recursive: true })
const write = (file, text) => writeFileSync(new URL(`pages/${file}`, dist), text)
for (const language of languages) {
  const about = descriptions(language)
  for (const [name, { path, needsData }] of Object.entries(firstPages)) {
    const pages = []
    const raw = { title: '', html: '' }
    Object.assign(raw, await render(path, language))
    // Rendered first without its styles, to see what is there in any of its forms.
    const collect = (title, html) => (pages.push(html), { title, html })
    const tools = { render, words, profileWords, formatMoney, formatDuration, page: collect }
    const templates = await templatesOf(language, tools)[name]?.()
    const rows = Object.values(templates?.rows ?? {})
    const style = criticalCss(css, [plain, raw.html, ...pages, ...rows].join(''))
    const page = pageOf(name, language, style, about)
    const data = '    <script type="application/json" id="first-data">{{data}}</script>\n'
    const filled = Object.entries(templates?.pages ?? {}).map(([key, { title, html }]) => [
      key,
      page(title, html, data),
    ])
    // Without its data a profile says nothing: the server sends the empty page then.
    const whole = needsData ? filled[0][1] : page(escaped(raw.title), raw.html)
    note(`${name}.${language}`, whole)
    if (!needsData) write(`${name}.${language}.html`, whole)
    if (templates)
      write(`${name}.${language}.json`, JSON.stringify({ ...templates, pages: Object.fromEntries(filled) }))
  }
  const empty = emptyPage(language, about)
  note(`empty.${language}`, empty)
  write(`empty.${language}.html`, empty)
}
write('manifest.json', JSON.stringify(policies))
process.exit(0)
