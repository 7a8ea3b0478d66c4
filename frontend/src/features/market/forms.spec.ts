import { expect, it } from 'vitest'
import { compare } from '@/shared/testing/contract'
import { adminSchema, settingsSchema } from './useSettings'

it.each([
  ['updateSettings', settingsSchema],
  ['createAdmin', adminSchema],
])('the form of %s has the fields and limits of the contract', (operation, schema) => {
  const [form, contract] = compare(schema, operation)
  expect(form).toEqual(contract)
})
