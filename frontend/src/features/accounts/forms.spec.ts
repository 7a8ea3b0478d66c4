import { expect, it } from 'vitest'
import { validate } from '@/shared/lib/schema'
import { compare } from '@/shared/testing/contract'
import { preferencesSchema } from './preferencesSchema'
import { customerSchema, professionalSchema } from './useSignUp'

it.each([
  ['addCustomer', customerSchema, []],
  ['addProfessional', professionalSchema, []],
  // Quiet hours are three fields, and each kind of message one choice.
  ['putMyPreferences', preferencesSchema, ['quiet', 'from', 'to', 'kinds']],
])('the form of %s has the fields and limits of the contract', (operation, schema, own) => {
  const [form, contract] = compare(schema, operation, own)
  expect(form).toEqual(contract)
})

it.each([
  [false, '', '', false],
  [true, '22:00', '07:00', false],
  [true, '22:00', '', true],
  [true, '22:00', '22:00', true],
])('quiet hours %s from %s to %s are refused: %s', (quiet, from, to, refused) => {
  const typed = { channels: ['mail'], gchat_webhook: '', chat_id: '', quiet, from, to, kinds: {} }
  const names = validate(preferencesSchema, typed).errors?.map(({ name }) => name) ?? []
  expect(names).toEqual(refused ? ['from'] : [])
})
