import { createPinia, setActivePinia } from 'pinia'
import { describe, expect, it } from 'vitest'
import { someone } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { given, multipart, professionalSchema, useSignUp, type ProfessionalSignUp } from './useSignUp'

const typed: ProfessionalSignUp = {
  username: 'imran', password: 'four words are better', firstname: 'Imran', lastname: 'Khan', email: 'imran@example.org', phone: '',
  address: '1 Road', pincode: '560001', compname: 'Khan Works', exp: 0, task_ids: [3, 5],
}

describe('signing up', () => {
  it('leaves out an empty phone and nothing else', () => {
    expect(given({ phone: '', exp: 0, task_ids: [] })).toEqual({ exp: 0, task_ids: [] })
  })

  it('sends a document with each task on its own', () => {
    const form = multipart(typed, new File(['%PDF'], 'a.pdf'))
    expect(form.getAll('task_ids')).toEqual(['3', '5'])
    expect(form.get('exp')).toBe('0')
    expect(form.has('phone')).toBe(false)
    expect((form.get('document') as File).name).toBe('a.pdf')
  })

  it('leads straight in', async () => {
    setActivePinia(createPinia())
    const made = answer('post', '/add_professional', [201, {}])
    const user = someone('professional', { isactive: 0 })
    answer('post', '/check', [200, { access_token: 'a', token_type: 'Bearer', expires_in: 1, role: 'professional', user }])
    expect(await useSignUp().professional(typed, null)).toEqual(user)
    expect(made[0]?.body).toMatchObject({ username: 'imran', exp: 0, task_ids: [3, 5] })
  })

  it.each([
    ['username', 'ab'],
    ['username', 'with space'],
    ['pincode', '5600'],
    ['password', 'short'],
    ['exp', 61],
    ['compname', '  '],
  ])('refuses %s %s', (field, value) => {
    expect(professionalSchema.safeParse({ ...typed, [field]: value }).error?.issues.map((issue) => issue.path[0])).toEqual([field])
  })
})
