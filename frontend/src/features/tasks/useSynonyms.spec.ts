import { describe, expect, it } from 'vitest'
import { phrasesOf, synonymsSchema } from './useSynonyms'

describe('synonyms', () => {
  it('are one per line without duplicates', () => {
    expect(phrasesOf(' ac repair \n\nAir  conditioner\nAC Repair\n')).toEqual([
      'ac repair',
      'Air conditioner',
    ])
  })

  it('need two phrases that differ', () => {
    expect(synonymsSchema.safeParse({ phrases: 'plumber\nPLUMBER' }).success).toBe(false)
    expect(synonymsSchema.safeParse({ phrases: 'plumber\npipe fitter' }).success).toBe(true)
    expect(synonymsSchema.safeParse({ phrases: `a\n${'b'.repeat(101)}` }).success).toBe(false)
  })
})
