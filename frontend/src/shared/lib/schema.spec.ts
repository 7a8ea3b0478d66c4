import { afterEach, describe, expect, it } from 'vitest'
import { bodies, compare } from '@/shared/testing/contract'
import * as generated from '@/shared/api/generated/schemas'
import { chosen, limitsOf, orEmpty, v, validate, type FormSchema } from './schema'
import { i18n } from './i18n'

const body = (schema: FormSchema, values: object) =>
  Object.fromEntries((validate(schema, values).errors ?? []).map(({ name, message }) => [name, message]))
const { addCustomerBody, createExportBody, updateTaskBody, blockUserBody, putSynonymBody } = generated
const account = {
  username: 'asha',
  email: 'asha@example.org',
  password: 'four words are better',
  firstname: 'Asha',
  lastname: 'Rao',
  address: '1 Road',
  pincode: '560001',
}

describe('schemas of bodies', () => {
  it('exist for every body in the contract', () => {
    expect(Object.keys(generated).sort()).toEqual([...bodies.keys()].map((name) => `${name}Body`).sort())
  })

  it.each(Object.entries(generated))('%s has the fields and limits of the contract', (name, schema) => {
    const operation = name.replace(/Body$/, '')
    const { properties = {} } = bodies.get(operation) ?? {}
    const sent = Object.entries(properties).filter(([, field]) => !field.readOnly)
    expect(Object.keys(schema.entries)).toEqual(sent.map(([field]) => field))
    const [form, contract] = compare(schema, operation)
    expect(form).toEqual(contract)
  })

  it('fill in no default, and take ids as numbers', () => {
    expect(validate(createExportBody, {}).output).toEqual({})
    expect(validate(createExportBody, { professional_id: 7 }).output).toEqual({ professional_id: 7 })
  })

  it('leave out what a form has beyond the body', () => {
    expect(validate(updateTaskBody, { name: 'Tap', open: true }).output).toEqual({ name: 'Tap' })
  })

  it.each(['o’brien@example.org', "o'brien@example.org", 'ärzte@example.org', 'a@bücher.example'])(
    'leave %s to the server',
    (email) => {
      expect(body(addCustomerBody, { ...account, email })).toEqual({})
    },
  )
})

describe('texts of errors', () => {
  afterEach(() => (i18n.global.locale.value = 'en'))

  it('are found by the kind of check, and for patterns by the field', () => {
    const wrong = {
      username: 'with space',
      email: 'asha',
      password: 'short',
      firstname: ' ',
      lastname: 'x'.repeat(101),
      pincode: '01',
    }
    expect(body(addCustomerBody, wrong)).toEqual({
      username: 'Use only letters, digits, dots, underscores and hyphens.',
      email: 'Enter a valid email, such as name@example.com.',
      password: 'Enter at least 8 characters.',
      firstname: 'This field is required.',
      lastname: 'Enter at most 100 characters.',
      address: 'This field is required.',
      pincode: 'Enter a pincode with six digits, or choose one from the list.',
    })
    expect(body(updateTaskBody, { time_required: 4 })).toEqual({ time_required: 'Enter 5 or more.' })
    expect(body(updateTaskBody, { time_required: 1441 })).toEqual({ time_required: 'Enter 1440 or less.' })
    expect(body(updateTaskBody, { time_required: 5.5 })).toEqual({
      time_required: 'Check the format of this field.',
    })
    expect(body(putSynonymBody, { phrases: ['tap'] })).toEqual({ phrases: 'Enter at least 2 entries.' })
    expect(body(putSynonymBody, { phrases: Array(21).fill('tap') })).toEqual({
      phrases: 'Enter at most 20 entries.',
    })
  })

  it('are in the language chosen', async () => {
    i18n.global.mergeLocaleMessage('hi', {
      validation: (await import('@/locales/hi/validation.json')).default,
    })
    i18n.global.locale.value = 'hi'
    expect(body(addCustomerBody, { ...account, password: '1' })).toEqual({
      password: 'कम से कम 8 अक्षर लिखें।',
    })
  })

  it('are those of the schema itself where it has any', () => {
    const schema = v.object({ stars: v.pipe(v.number(), v.minValue(1, 'Choose.')) })
    expect(body(schema, { stars: 0 })).toEqual({ stars: 'Choose.' })
  })
})

describe('fields of forms', () => {
  it('leave out an empty text that the body may leave out, and check any other', () => {
    const schema = v.object({ note: orEmpty(blockUserBody.entries.note) })
    expect(validate(schema, { note: '  ' }).output).toEqual({ note: undefined })
    expect(validate(schema, { note: ' late ' }).output).toEqual({ note: 'late' })
    expect(body(schema, { note: 'x'.repeat(2001) })).toEqual({ note: 'Enter at most 2000 characters.' })
  })

  it('demand a choice where none is made at first', () => {
    const schema = v.object({ reason: chosen(blockUserBody.entries.reason) })
    expect(body(schema, { reason: undefined })).toEqual({ reason: 'This field is required.' })
    expect(validate(schema, { reason: 'fraud' }).output).toEqual({ reason: 'fraud' })
  })

  it('tell their limits through everything around them', () => {
    expect(limitsOf(orEmpty(blockUserBody.entries.note))).toEqual({ minLength: 0, maxLength: 2000 })
    expect(limitsOf(v.nonOptional(updateTaskBody.entries.time_required))).toEqual({ min: 5, max: 1440 })
  })
})
