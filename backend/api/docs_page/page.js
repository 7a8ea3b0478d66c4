// Shows /openapi.json and sends calls to this market. No library, no other host.
'use strict'

const METHODS = ['get', 'post', 'put', 'patch', 'delete']
let contract

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children.filter((child) => child !== null && child !== undefined))
  return element
}

function resolve(schema) {
  return schema?.$ref ? schema.$ref.slice(2).split('/').reduce((node, key) => node[key], contract) : (schema ?? {})
}

function typeName(schema) {
  if (schema.$ref) return schema.$ref.split('/').pop()
  if (schema.anyOf) return schema.anyOf.map(typeName).join(' or ')
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(', ')
  const type = [schema.type ?? 'anything'].flat().join(' or ')
  return schema.items ? `list of ${typeName(schema.items)}` : schema.format ? `${type} (${schema.format})` : type
}

function limits(schema) {
  const said = []
  if (schema.minLength !== undefined || schema.maxLength !== undefined) said.push(`${schema.minLength ?? 0} to ${schema.maxLength ?? '…'} characters`)
  if (schema.minimum !== undefined || schema.maximum !== undefined) said.push(`${schema.minimum ?? '…'} to ${schema.maximum ?? '…'}`)
  if (schema.default !== undefined) said.push(`default ${JSON.stringify(schema.default)}`)
  if (schema.description) said.push(schema.description)
  return said.length ? `; ${said.join('; ')}` : ''
}

function example(schema, depth = 0) {
  const known = resolve(schema)
  if (known.example !== undefined) return known.example
  if (known.default !== undefined) return known.default
  if (known.enum) return known.enum[0]
  if (known.anyOf) return example(known.anyOf[0], depth)
  const type = [known.type].flat()[0]
  if (type === 'object') {
    if (depth > 4) return {}
    return Object.fromEntries(Object.entries(known.properties ?? {}).map(([name, part]) => [name, example(part, depth + 1)]))
  }
  if (type === 'array') return depth > 4 ? [] : [example(known.items, depth + 1)]
  if (type === 'integer' || type === 'number') return known.minimum ?? 1
  if (type === 'boolean') return true
  if (known.format === 'date-time') return new Date(Date.now() + 86400000).toISOString()
  if (known.format === 'date') return new Date().toISOString().slice(0, 10)
  if (known.format === 'email') return 'asha@example.org'
  return 'text'
}

function fieldList(schema) {
  const known = resolve(schema)
  if (!known.properties) return make('p', { class: 'about' }, typeName(schema))
  const rows = Object.entries(known.properties).flatMap(([name, part]) => [
    make('dt', {}, name + (known.required?.includes(name) ? ' *' : '')),
    make('dd', {}, typeName(part) + limits(part)),
  ])
  return make('dl', {}, ...rows)
}

function answers(responses) {
  const rows = Object.entries(responses).flatMap(([status, answer]) => {
    const body = answer.content?.['application/json']?.schema
    return [make('dt', {}, status), make('dd', {}, answer.description + (body ? `: ${typeName(body)}` : ''))]
  })
  return make('dl', {}, ...rows)
}

function inputFor(id, parameter) {
  const attributes = { id, name: parameter.name, required: parameter.required }
  const choices = parameter.schema?.enum
  if (!choices) return make('input', { ...attributes, placeholder: typeName(parameter.schema ?? {}) })
  return make('select', attributes, make('option', { value: '' }, '–'), ...choices.map((choice) => make('option', {}, String(choice))))
}

function tryForm(method, path, operation) {
  const id = operation.operationId
  const parameters = operation.parameters ?? []
  const content = operation.requestBody?.content ?? {}
  const output = make('pre', { 'aria-live': 'polite', tabindex: '0', 'aria-label': 'Answer', hidden: true })
  const form = make('form', {
    onsubmit: (event) => {
      event.preventDefault()
      send(method, path, parameters, form, output)
    },
  })
  for (const parameter of parameters) {
    const inputId = `${id}-${parameter.in}-${parameter.name}`
    form.append(make('label', { for: inputId }, `${parameter.name}${parameter.required ? ' *' : ''}`), inputFor(inputId, parameter))
    form.lastChild.dataset.where = parameter.in
  }
  if (content['application/json']) {
    const text = JSON.stringify(example(content['application/json'].schema), null, 2)
    form.append(make('label', { for: `${id}-json` }, 'Body'), make('textarea', { id: `${id}-json`, 'data-where': 'json', spellcheck: 'false' }, text))
  } else if (content['multipart/form-data']) {
    for (const [name, part] of Object.entries(resolve(content['multipart/form-data'].schema).properties ?? {})) {
      const input = make('input', { id: `${id}-form-${name}`, name, type: part.format === 'binary' ? 'file' : 'text', 'data-where': 'form' })
      form.append(make('label', { for: input.id }, name), input)
    }
  }
  form.append(make('button', { type: 'submit' }, 'Send'))
  return make('div', {}, make('h3', {}, 'Try it'), form, output)
}

function collect(form) {
  const sent = { query: new URLSearchParams(), headers: {}, path: {}, body: undefined }
  for (const input of form.querySelectorAll('[data-where]')) {
    const { where } = input.dataset
    if (where === 'json') {
      sent.body = input.value
      sent.headers['Content-Type'] = 'application/json'
    } else if (where === 'form') {
      sent.body ??= new FormData()
      if (input.type === 'file' ? input.files.length : input.value) sent.body.append(input.name, input.files?.[0] ?? input.value)
    } else if (input.value === '') continue
    else if (where === 'query') sent.query.append(input.name, input.value)
    else if (where === 'header') sent.headers[input.name] = input.value
    else sent.path[input.name] = encodeURIComponent(input.value)
  }
  return sent
}

async function send(method, path, parameters, form, output) {
  const sent = collect(form)
  const token = document.getElementById('token').value.trim()
  if (token) sent.headers.Authorization = `Bearer ${token}`
  const address = path.replace(/\{(\w+)\}/g, (_, name) => sent.path[name] ?? '') + (sent.query.size ? `?${sent.query}` : '')
  output.hidden = false
  output.textContent = 'Sending …'
  try {
    const answer = await fetch(address, { method: method.toUpperCase(), headers: sent.headers, body: sent.body, cache: 'no-store' })
    output.textContent = await describe(answer, `${method.toUpperCase()} ${address}`)
  } catch (error) {
    output.textContent = `No answer: ${error.message}`
  }
}

async function describe(answer, line) {
  const headers = [...answer.headers].filter(([name]) => /^(content-type|location|link|etag|retry-after|ratelimit|x-request-id)/.test(name))
  const head = [line, `${answer.status} ${answer.statusText}`, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\n')
  const kind = answer.headers.get('content-type') ?? ''
  if (!/json|text/.test(kind)) return `${head}\n\n(${(await answer.blob()).size} bytes)`
  const text = await answer.text()
  try {
    const data = JSON.parse(text)
    if (data.access_token) document.getElementById('token').value = data.access_token
    return `${head}\n\n${JSON.stringify(data, null, 2)}`
  } catch {
    return `${head}\n\n${text.slice(0, 20000)}`
  }
}

function call(method, path, operation) {
  const body = Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, part]) => [make('h3', {}, `Body: ${type}`), fieldList(part.schema)])
  const inside = make('div')
  const details = make('details', { class: 'call', id: operation.operationId },
    make('summary', {}, make('span', { class: 'method' }, method.toUpperCase()), make('span', { class: 'path' }, path), make('span', { class: 'about' }, operation.summary)),
    inside)
  details.dataset.words = `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase()
  details.addEventListener('toggle', () => {
    if (inside.childElementCount) return
    inside.append(make('p', { class: 'lines' }, operation.description ?? ''), ...body, make('h3', {}, 'Answers'), answers(operation.responses), tryForm(method, path, operation))
  }, { once: false })
  return details
}

function problems() {
  const found = new Map()
  for (const [path, item] of Object.entries(contract.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      for (const [status, answer] of Object.entries(item[method].responses)) {
        for (const code of answer['x-codes'] ?? []) {
          if (!found.has(code)) found.set(code, { status, calls: [] })
          found.get(code).calls.push(`${method.toUpperCase()} ${path}`)
        }
      }
    }
  }
  const about = contract['x-problems'] ?? {}
  const codes = [...new Set([...Object.keys(about), ...found.keys()])].sort()
  return make('section', { 'aria-labelledby': 'errors' }, make('h2', { id: 'errors' }, 'Codes of errors'),
    make('dl', {}, ...codes.flatMap((code) => [make('dt', { id: code, tabindex: '-1' }, code), make('dd', {}, about[code] ?? found.get(code)?.status ?? '')])))
}

function show() {
  document.getElementById('about').textContent = contract.info.description.replaceAll('`', '')
  const main = document.getElementById('main')
  const groups = new Map(contract.tags.map((tag) => [tag.name, []]))
  for (const [path, item] of Object.entries(contract.paths)) {
    for (const method of METHODS.filter((name) => item[name])) groups.get(item[method].tags[0]).push(call(method, path, item[method]))
  }
  for (const [name, calls] of groups) {
    const id = `tag-${name.toLowerCase().replaceAll(' ', '-')}`
    document.getElementById('tags').append(make('a', { href: `#${id}` }, name))
    main.append(make('section', { 'aria-labelledby': id }, make('h2', { id, tabindex: '-1' }, name), ...calls))
  }
  main.append(problems())
  if (location.hash) goTo()
}

function goTo() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (target?.tagName === 'DETAILS') target.open = true
  target?.scrollIntoView()
}

document.getElementById('session').addEventListener('submit', (event) => event.preventDefault())
document.getElementById('filter').addEventListener('input', (event) => {
  const wanted = event.target.value.toLowerCase().trim()
  for (const details of document.querySelectorAll('details.call')) details.hidden = !details.dataset.words.includes(wanted)
})
window.addEventListener('hashchange', goTo)
fetch('/openapi.json')
  .then((answer) => answer.json())
  .then((found) => {
    contract = found
    show()
  })
  .catch((error) => {
    document.getElementById('about').textContent = `The contract could not be read: ${error.message}`
  })
