import { expect, it } from 'vitest'
import { validate } from '@/shared/lib/schema'
import { compare } from '@/shared/testing/contract'
import { blank, rules, taskSchema } from './taskFields'

it.each([
  // Typed as text; the contract also takes a number.
  ['createTask', taskSchema, ['base_price', 'isactive', 'start_code', ...rules]],
])('the form of %s has the fields and limits of the contract', (operation, schema, own) => {
  const [form, contract] = compare(schema, operation, own)
  expect(form).toEqual(contract)
})

it.each([
  ['499', true],
  ['499.50', true],
  ['10000000', true],
  ['0', false],
  ['10000000.01', false],
  ['4.999', false],
  ['', false],
])('the price %s is fine: %s', (base_price, fine) => {
  const typed = { ...blank(), name: 'Tap', description: 'Repair', category: 'Plumbing', base_price }
  expect(validate(taskSchema, typed).errors?.[0]).toEqual(
    fine ? undefined : { name: 'base_price', message: 'Enter a price above 0 with up to two decimals.' },
  )
})
