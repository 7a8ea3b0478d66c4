import { expect, it } from 'vitest'
import { validate } from '@/shared/lib/schema'
import { compare } from '@/shared/testing/contract'
import { exportSchema } from './exportSchema'

it('the form of an export has the fields and limits of the contract', () => {
  const [form, contract] = compare(exportSchema, 'createExport', ['unresolved'])
  expect(form).toEqual(contract)
})

it.each([
  ['2026-11-02', '2026-11-01', ['to']],
  ['2026-11-02', '', []],
  ['', '', []],
])('from %s to %s: wrong are %j', (from, to, names) => {
  const { errors = [] } = validate(exportSchema, { professional_id: undefined, unresolved: false, from, to })
  expect(errors.map(({ name }) => name)).toEqual(names)
})
