import { expect, it } from 'vitest'
import { validate } from '@/shared/lib/schema'
import { compare } from '@/shared/testing/contract'
import { askSchema, editSchema, reviewSchema } from './requestForms'

it.each([
  // A day and a time make the time of the request.
  ['createRequest', askSchema, ['day', 'time', 'professional_id']],
  ['updateRequest', editSchema, ['day', 'time']],
  ['reviewRequest', reviewSchema, []],
])('the form of %s has the fields and limits of the contract', (operation, schema, own) => {
  const [form, contract] = compare(schema, operation, own)
  expect(form).toEqual(contract)
})

it('asks for a time, an address and a pincode, and for anyone or somebody', () => {
  const typed = { day: '', time: '', address: '', pincode: '', remarks: '', professional_id: 0 }
  expect(validate(askSchema, typed).errors).toEqual([
    { name: 'day', message: 'Check the format of this field.' },
    { name: 'time', message: 'Choose a date and a time.' },
    { name: 'address', message: 'This field is required.' },
    { name: 'pincode', message: 'Enter a pincode with six digits, or choose one from the list.' },
  ])
  const whole = { day: '2026-12-01', time: '10:00', address: '1 Road', pincode: '560001', remarks: '' }
  expect(validate(askSchema, { ...whole, professional_id: 7 }).output).toEqual({
    ...whole,
    remarks: undefined,
    professional_id: 7,
  })
})

it('asks for stars', () => {
  expect(validate(reviewSchema, { rating: 0, comment: '' }).errors?.map(({ name }) => name)).toEqual([
    'rating',
  ])
})
