import { describe, expect, it } from 'vitest'
import { validate } from '@/shared/lib/schema'
import { phrasesOf, synonymsSchema } from './useSynonyms'

const accepts = (values: object) => !validate(synonymsSchema, values).errors

describe('synonyms', () => {
  it('are one per line without duplicates', () => {
    expect(phrasesOf(' ac repair \n\nAir  conditioner\nAC Repair\n')).toEqual([
      'ac repair',
      'Air conditioner',
    ])
  })

  it('need two phrases that differ', () => {
    expect(accepts({ phrases: 'plumber\nPLUMBER' })).toBe(false)
    expect(accepts({ phrases: 'plumber\npipe fitter' })).toBe(true)
    expect(accepts({ phrases: `a\n${'b'.repeat(101)}` })).toBe(false)
  })
})
