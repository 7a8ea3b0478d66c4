/**
 * Rows of lists are plain: a component of Nuxt UI computes its classes each time it is created, which a long list does for each
 * row. A row is what stands in an element with `v-for` or in the default slot of a KeysetList, together with the
 * components that it is made of. Fields of a form may be repeated.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../src/', import.meta.url))
const fields = new Set(['UFormField', 'UInput', 'UInputNumber', 'USelect', 'UCheckbox', 'UTextarea'])
const isRich = (name) => /^U[A-Z]/.test(name) && !fields.has(name)

const fileOf = (path, from) =>
  path.startsWith('@/') ? resolve(source, path.slice(2)) : path.startsWith('.') ? resolve(from, path) : null

/** The file of a component that is imported by its own name or from the index of a feature. */
function componentFile(name, path, from) {
  const file = fileOf(path, from)
  if (file === null) return null
  if (file.endsWith('.vue')) return existsSync(file) ? file : null
  const index = resolve(file, 'index.ts')
  if (!existsSync(index)) return null
  const exported = new RegExp(String.raw`default as ${name} \} from '([^']+\.vue)'`).exec(
    readFileSync(index, 'utf8'),
  )
  return exported ? resolve(file, exported[1]) : null
}

/** The components that a source imports, by name. */
function importsOf(text, from) {
  const found = new Map()
  for (const [, alone, several, path] of text.matchAll(/^import (?:(\w+)|\{([^}]*)\}) from '([^']+)'/gm))
    for (const name of alone ? [alone] : several.split(',').map((one) => one.trim()))
      if (/^[A-Z]\w*$/.test(name)) {
        const file = componentFile(name, path, from)
        if (file) found.set(name, file)
      }
  return found
}

const known = new Map()
/** The first part of Nuxt UI that a component is made of, itself or by its own parts; null if it is plain. */
function richPartOf(file) {
  if (known.has(file)) return known.get(file)
  known.set(file, null)
  const text = readFileSync(file, 'utf8')
  const used = [...text.matchAll(/<([A-Z]\w*)/g)].map(([, name]) => name)
  let rich = used.find(isRich) ?? null
  for (const [name, part] of importsOf(text, dirname(file)))
    if (rich === null && used.includes(name)) rich = richPartOf(part)
  known.set(file, rich)
  return rich
}

const directive = (element, name) =>
  element.startTag.attributes.find((one) => one.directive && one.key.name.name === name)

function isRow(element) {
  if (directive(element, 'for')) return true
  if (element.rawName === 'KeysetList') return Boolean(directive(element, 'slot'))
  const slot = element.rawName === 'template' && directive(element, 'slot')
  return Boolean(slot) && element.parent?.rawName === 'KeysetList' && slot.key.argument?.name === 'default'
}

function isInRow(element) {
  for (let above = element.parent; above?.type === 'VElement'; above = above.parent)
    if (isRow(above)) return true
  return false
}

export default {
  meta: {
    type: 'problem',
    schema: [],
    messages: { rich: '{{ part }} is no plain part, and this is a row.' },
  },
  create(context) {
    const services = context.sourceCode.parserServices
    if (!services.defineTemplateBodyVisitor) return {}
    const imports = importsOf(context.sourceCode.text, dirname(context.filename))
    return services.defineTemplateBodyVisitor({
      VElement(node) {
        const name = node.rawName
        if (!/^[A-Z]/.test(name) || !(isInRow(node) || (directive(node, 'for') && imports.has(name)))) return
        const file = imports.get(name)
        const part = isRich(name) ? name : file ? richPartOf(file) : null
        if (part) context.report({ node: node.startTag, messageId: 'rich', data: { part } })
      },
    })
  },
}
