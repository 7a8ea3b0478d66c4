import { expect, it } from 'vitest'
import { validate } from '@/shared/lib/schema'
import { compare } from '@/shared/testing/contract'
import { runSchema } from './runSchema'

it('the form that runs a job has the fields and limits of the contract', () => {
  const [form, contract] = compare(runSchema, 'runJob', ['unresolved'])
  expect(form).toEqual(contract)
})

it.each([
  ['2026-13', false, ['month']],
  ['', true, ['customer_id']],
  ['2026-12', false, []],
])('month %s with a name unresolved %s: wrong are %j', (month, unresolved, names) => {
  const { errors = [] } = validate(runSchema, { month, customer_id: undefined, unresolved })
  expect(errors.map(({ name }) => name)).toEqual(names)
})
