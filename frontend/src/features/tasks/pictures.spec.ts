import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import texts from '@/locales/en/tasks.json'
import { addressOf, pictures } from './pictures'

interface Contract {
  components: { schemas: { NewTask: { properties: { picture: { enum: (string | null)[] } } } } }
}

describe('pictures', () => {
  it('are those that the API accepts, each with a name', () => {
    const contract = JSON.parse(readFileSync('../openapi.json', 'utf8')) as Contract
    const taken = contract.components.schemas.NewTask.properties.picture.enum.filter((one) => one !== null)
    expect(pictures).toEqual([...taken].sort())
    expect(Object.keys(texts.pictures).sort()).toEqual([...pictures].sort())
  })

  it('follow the category when none or an unknown one was chosen', () => {
    expect(addressOf('plumbing', 'Kitchen')).toContain('plumbing')
    expect(addressOf(null, 'Kitchen')).toContain('cooking')
    expect(addressOf('not-yet-drawn', 'Something else')).toContain('home')
  })
})
