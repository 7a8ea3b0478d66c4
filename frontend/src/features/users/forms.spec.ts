import { expect, it } from 'vitest'
import { compare } from '@/shared/testing/contract'
import { blockSchema } from './blockSchema'

it('the form of a block has the fields and limits of the contract', () => {
  const [form, contract] = compare(blockSchema, 'blockUser')
  expect(form).toEqual(contract)
})
