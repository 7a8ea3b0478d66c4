/** Compares schemas of forms with openapi.json. */
import { readFileSync } from 'node:fs'
import { limitsOf, type v } from '@/shared/lib/schema'

interface Field {
  $ref?: string
  type?: string | string[]
  format?: string
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  enum?: unknown[]
  readOnly?: boolean
  properties?: Record<string, Field>
  required?: string[]
}
interface Operation {
  operationId?: string
  requestBody?: { content: Record<string, { schema: Field }> }
}
interface Contract {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Field> }
}
const contract = JSON.parse(readFileSync('../openapi.json', 'utf8')) as Contract
const resolve = (field: Field): Field =>
  field.$ref ? (contract.components.schemas[field.$ref.split('/').at(-1) ?? ''] ?? {}) : field

/** The bodies in JSON, by the ids of their operations. */
export const bodies = new Map(
  Object.values(contract.paths)
    .flatMap(Object.values<Operation>)
    .flatMap(({ operationId, requestBody }) => {
      const sent = requestBody?.content['application/json']
      return operationId && sent ? [[operationId, resolve(sent.schema)] as const] : []
    }),
)

type Part = Parameters<typeof limitsOf>[0] & { options?: readonly unknown[] }
function find<T>(part: Part, read: (part: Part) => T | undefined): T | undefined {
  for (const next of [part.wrapped, ...(part.pipe ?? [])].filter((one) => one !== undefined)) {
    const found = find(next, read)
    if (found !== undefined) return found
  }
  return read(part)
}
const defined = (values: object) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))

/** What a schema demands of a field, in the contract's words. */
function demanded(part: Part) {
  const { min, max, minLength, maxLength } = limitsOf(part)
  return defined({
    minimum: min,
    maximum: max,
    least: minLength || undefined,
    most: maxLength,
    pattern: find(part, (one) =>
      one.type === 'regex' ? (one.requirement as RegExp).source.replaceAll('\\/', '/') : undefined,
    ),
    enum: find(part, (one) => (one.type === 'picklist' ? one.options : undefined)),
  })
}

/** What the contract demands of it. The generator's input replaces the format of an email by a pattern (scripts/bodies.ts). */
function told({ format, minimum, maximum, enum: words, ...field }: Field) {
  return defined({
    minimum,
    maximum: format === 'int64' ? undefined : maximum,
    least: (field.minLength ?? field.minItems) || undefined,
    most: field.maxLength ?? field.maxItems,
    pattern: format === 'email' ? '^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$' : field.pattern,
    enum: words?.filter((word) => word !== null),
  })
}

interface FormObject {
  entries: Record<string, v.GenericSchema>
}
export type Demands = Record<string, object>

/** What the form and the body demand of the fields that both have; `own`: fields of the form alone, or with rules of its own. */
export function compare(schema: FormObject, operation: string, own: string[] = []): [Demands, Demands] {
  const fields = bodies.get(operation)?.properties ?? {}
  const names = Object.keys(schema.entries).filter((name) => !own.includes(name))
  const demands = (read: (name: string) => object): Demands =>
    Object.fromEntries(names.map((name) => [name, read(name)]))
  return [
    demands((name) => demanded(schema.entries[name] as Part)),
    demands((name) => {
      const field = fields[name]
      if (!field) throw new Error(`${operation} has no field ${name}`)
      return told(resolve(field))
    }),
  ]
}
