/** The contract as forms see it: the bodies of its requests, from which the generator writes their schemas. */

interface Schema {
  [key: string]: unknown
  $ref?: string
  format?: string
  maximum?: number
  readOnly?: boolean
  properties?: Record<string, Schema>
}
interface Operation {
  operationId?: string
  tags?: string[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}
export interface Contract {
  openapi: string
  info: { title: string; version: string }
  components: { schemas: Record<string, Schema> }
  paths: Record<string, Record<string, Operation>>
}

/** A slip, such as a missing @. Which emails there are is for the server to say, which also takes letters beyond ASCII. */
const email = '^[^\\s@]+@[^\\s@]+\\.[^\\s@]+$'

/** What a form does not need, or must not do: defaults are set by the server where a field was left empty. */
const left = ['default', 'description', 'example', 'examples']

/** Every name in the path of a reference is one of the contract's own. */
const target = (schemas: Record<string, Schema>, ref: string) => schemas[ref.split('/').pop() ?? ''] ?? {}

/** Return a schema that refers to no other, so that a form loads its own body only. */
function complete(schema: Schema, schemas: Record<string, Schema>): Schema {
  if (schema.$ref) return complete(target(schemas, schema.$ref), schemas)
  const { format, maximum, properties, ...rest } = schema
  const whole = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(whole)
    return typeof value === 'object' && value !== null ? complete(value as Schema, schemas) : value
  }
  const kept = Object.entries(rest)
    // What a form has beyond the body is left out of it, and no error.
    .filter(([key, value]) => !left.includes(key) && value !== false)
    .map(([key, value]) => [key, whole(value)])
  const fields = Object.entries(properties ?? {}).filter(([, field]) => !field.readOnly)
  return {
    ...Object.fromEntries(kept),
    ...(properties && {
      properties: Object.fromEntries(fields.map(([name, field]) => [name, whole(field)])),
    }),
    ...(format === 'email' && { pattern: email }),
    // An id is a plain number: the generator would make it a bigint. Its upper bound is beyond what a number can hold.
    ...(format !== 'email' && format !== 'int64' && format && { format }),
    ...(format !== 'int64' && maximum !== undefined && { maximum }),
  }
}

/** Return the operations that take a body in JSON, with nothing but it. */
export function bodiesOf({ openapi, info, components, paths }: Contract) {
  const found = Object.entries(paths).map(([path, methods]) => {
    const kept = Object.entries(methods).flatMap(([method, { operationId, tags, requestBody }]) => {
      const schema = requestBody?.content['application/json']?.schema
      if (!schema) return []
      const content = { 'application/json': { schema: complete(schema, components.schemas) } }
      return [[method, { operationId, tags, requestBody: { required: true, content }, responses: {} }]]
    })
    return [path, Object.fromEntries(kept)]
  })
  return { openapi, info, paths: Object.fromEntries(found) }
}
