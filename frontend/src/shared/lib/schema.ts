/**
 * Schemas of forms. Those of the bodies are generated from the contract (`createRequestBody` in `@/shared/api/generated/schemas`):
 * a form picks its fields from them and adds what only the form knows. Texts of what is wrong are found here, by its kind.
 */
import * as v from 'valibot'
import type { TextKey } from '@/locales/keys'
import { i18n } from './i18n'

export { v }
export type FormSchema = v.GenericSchema<object, object>
export interface FieldError {
  name: string
  message: string
}

/** What to enter where a pattern fails, by the field's name. */
const patterns: Record<string, TextKey> = {
  amount: 'validation.price',
  base_price: 'validation.price',
  code: 'validation.code',
  day_begins_at: 'validation.time',
  day_ends_at: 'validation.time',
  email: 'validation.email',
  pincode: 'validation.pincode',
  quantity: 'prices.propose.quantityForm',
  reminder_at: 'validation.time',
  unit_amount: 'validation.price',
  username: 'validation.username',
}

/** A number above 0 as it is typed, with up to so many digits before and after the point. */
export const decimalText = (whole: number, decimals: number) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.regex(new RegExp(String.raw`^(?!0+(\.0+)?$)\d{1,${whole}}(\.\d{1,${decimals}})?$`)),
  )

function textOf(issue: v.BaseIssue<unknown>, field: string): string {
  const t = i18n.global.t
  const { type, input } = issue
  const limit = String(issue.requirement)
  if (input === undefined || input === null) return t('validation.required')
  switch (type) {
    case 'min_length':
      if (typeof input !== 'string') return t('validation.minItems', { min: limit })
      return input === '' ? t('validation.required') : t('validation.minLength', { min: limit })
    case 'max_length':
      return t(typeof input === 'string' ? 'validation.maxLength' : 'validation.maxItems', { max: limit })
    case 'min_value':
      return t('validation.min', { min: limit })
    case 'max_value':
      return t('validation.max', { max: limit })
    case 'regex':
      return t(patterns[field] ?? 'validation.format')
    default:
      return t('validation.format')
  }
}

/** Where nothing is said for a check, its kind says it: only afterwards is it known which field it belongs to. */
const unsaid = ''

/** Return what the schema makes of the values, or what is wrong with them. */
export function validate<S extends FormSchema>(
  schema: S,
  values: unknown,
): { output: v.InferOutput<S>; errors?: never } | { output?: never; errors: FieldError[] } {
  const result = v.safeParse(schema, values, { message: unsaid })
  if (result.success) return { output: result.output }
  return {
    errors: result.issues.map((issue) => {
      const keys = (issue.path ?? []).map(({ key }) => String(key))
      return { name: keys.join('.'), message: issue.message || textOf(issue, keys.at(-1) ?? '') }
    }),
  }
}

/** A text that the body may leave out: where it is empty, it is left out. */
export const orEmpty = (field: { wrapped: v.GenericSchema<string, string> }) =>
  v.pipe(
    v.string(),
    v.transform((text): string | undefined => text.trim() || undefined),
    v.optional(field.wrapped),
  )

/** A choice where none is made at first. The field refuses undefined as it is: only the type of the form's state is wider. */
export const chosen = <S extends v.GenericSchema>(field: S) =>
  field as v.GenericSchema<v.InferInput<S> | undefined, v.InferOutput<S>>

export interface Limits {
  min?: number
  max?: number
  minLength?: number
  maxLength?: number
}
/** A schema as far as its limits go. */
export interface Part {
  type: string
  requirement?: unknown
  wrapped?: Part
  pipe?: readonly Part[]
}
const limits: Record<string, keyof Limits> = {
  min_value: 'min',
  max_value: 'max',
  min_length: 'minLength',
  max_length: 'maxLength',
}

/** The limits that a field's schema sets, for the attributes of its input. */
export function limitsOf({ type, requirement, wrapped, pipe = [] }: Part): Limits {
  const name = limits[type]
  return Object.assign(
    name ? { [name]: requirement } : {},
    wrapped && limitsOf(wrapped),
    ...pipe.map(limitsOf),
  ) as Limits
}
