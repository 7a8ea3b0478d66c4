// Draws one page of the built application, as a visitor first sees it, and prints it: `node ahead.mjs /search`.
// The very application runs here in a small browser without a network, so what is drawn ahead cannot grow apart from it.
import { readFileSync } from 'node:fs'
import { Window } from 'happy-dom'
import { dist } from './firstPages.mjs'

const [path] = process.argv.slice(2)
const window = new Window({ url: `http://127.0.0.1/app${path}` })
window.document.body.innerHTML = '<div id="app"></div>'

/** No call is answered: what is read from the server shows as being on its way. The market's own settings fail, and its defaults stand. */
class Unanswered extends window.XMLHttpRequest {
  open(method, url, ...rest) {
    this.fails = url.endsWith('/market.json')
    super.open(method, url, ...rest)
  }
  send() {
    if (this.fails) this.dispatchEvent(new window.Event('error'))
  }
}

for (const name of Object.getOwnPropertyNames(window)) {
  if (!(name in globalThis))
    Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true })
}
for (const name of [
  'Event',
  'EventTarget',
  'CustomEvent',
  'navigator',
  'localStorage',
  'sessionStorage',
  'document',
]) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true })
}
Object.assign(globalThis, { window: globalThis, self: globalThis, XMLHttpRequest: Unanswered })
for (const name of [
  'addEventListener',
  'removeEventListener',
  'dispatchEvent',
  'scrollTo',
  'matchMedia',
  'getComputedStyle',
]) {
  globalThis[name] = window[name].bind(window)
}

const { file } = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'))['index.html']
await import(new URL(file, dist))

const drawn = window.document.getElementById('app')
if (!drawn.querySelector('h1')) throw new Error(`Nothing was drawn at ${path}`)
const styled = drawn.querySelector('[style]')
if (styled) throw new Error(`The content policy refuses the style of ${styled.outerHTML}`)
const html = drawn.innerHTML.replace(/<!--.*?-->/g, '')
// The application's timers would keep this process alive.
process.stdout.write(JSON.stringify({ title: window.document.title, html }), () => process.exit(0))
