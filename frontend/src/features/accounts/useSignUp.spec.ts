import { createPinia, setActivePinia } from 'pinia'
import { describe, expect, it } from 'vitest'
import { toProblem } from '@/shared/api/problem'
import { someone } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { validate } from '@/shared/lib/schema'
import { multipart, professionalSchema, useSignUp, type ProfessionalSignUp } from './useSignUp'

const typed: ProfessionalSignUp = {
  username: 'imran',
  password: 'four words are better',
  firstname: 'Imran',
  lastname: 'Khan',
  email: 'imran@example.org',
  phone: undefined,
  address: '1 Road',
  pincode: '560001',
  compname: 'Khan Works',
  exp: 0,
  task_ids: [3, 5],
}

describe('signing up', () => {
  it('leaves out an empty phone and nothing else', () => {
    expect(validate(professionalSchema, { ...typed, phone: ' ', task_ids: [] }).output).toEqual({
      ...typed,
      phone: undefined,
      task_ids: [],
    })
  })

  it('sends a document with each task on its own', () => {
    const form = multipart(typed, new File(['%PDF'], 'a.pdf'))
    expect(form.getAll('task_ids')).toEqual(['3', '5'])
    expect(form.get('exp')).toBe('0')
    expect(form.has('phone')).toBe(false)
    expect((form.get('document') as File).name).toBe('a.pdf')
  })

  it('signs in after sign-up', async () => {
    setActivePinia(createPinia())
    const made = answer('post', '/add_professional', [201, {}])
    const user = someone('professional', { isactive: 0 })
    answer('post', '/check', [
      200,
      { access_token: 'a', token_type: 'Bearer', expires_in: 1, role: 'professional', user },
    ])
    expect(await useSignUp().professional(typed, null)).toEqual(user)
    expect(made[0]?.body).toMatchObject({ username: 'imran', exp: 0, task_ids: [3, 5] })
  })

  describe('after a lost answer', () => {
    const user = someone('professional', { isactive: 0 })
    const tokens = { access_token: 'a', token_type: 'Bearer', expires_in: 1, role: 'professional', user }
    const paper = new File(['%PDF'], 'a.pdf', { type: 'application/pdf' })
    const refused: [number, object] = [401, { code: 'invalid_credentials' }]
    const taken: [number, object] = [
      422,
      { code: 'invalid_fields', errors: { username: ['Taken.'], email: ['Taken.'] } },
    ]
    const lost: [number] = [504]
    const start = () => {
      setActivePinia(createPinia())
      return useSignUp()
    }

    it('signs in if the account was created despite a lost response', async () => {
      const signUp = start()
      answer('post', '/add_professional', lost)
      answer('post', '/check', [200, tokens])
      expect(await signUp.professional(typed, paper)).toEqual(user)
      expect(signUp.progress.value).toBeNull()
    })

    it('signs in when the retry shows that the account exists', async () => {
      const signUp = start()
      answer('post', '/add_professional', lost, taken)
      answer('post', '/check', refused, [200, tokens])
      expect(await signUp.professional(typed, paper).catch(toProblem)).toMatchObject({ status: 504 })
      expect(await signUp.professional(typed, paper)).toEqual(user)
    })

    it("reports a taken username when the account is another user's", async () => {
      const signUp = start()
      answer('post', '/add_professional', lost, taken)
      answer('post', '/check', refused)
      await signUp.professional(typed, paper).catch(() => undefined)
      expect(await signUp.professional(typed, paper).catch(toProblem)).toMatchObject({
        status: 422,
        errors: { username: ['Taken.'] },
      })
    })

    it('does not try to sign in with a name that was taken from the start', async () => {
      const signUp = start()
      answer('post', '/add_professional', taken)
      const checks = answer('post', '/check', [200, tokens])
      await signUp.professional(typed, paper).catch(() => undefined)
      expect(checks).toHaveLength(0)
    })

    it('reports that the account was created when only sign-in failed, and signs in the next time', async () => {
      const signUp = start()
      answer('post', '/add_professional', [201, {}], taken)
      answer('post', '/check', [503, { code: 'unavailable' }], [200, tokens])
      expect(await signUp.professional(typed, null).catch(toProblem)).toMatchObject({ code: 'sign_up_done' })
      expect(await signUp.professional(typed, null)).toEqual(user)
    })
  })

  it.each([
    ['username', 'ab'],
    ['username', 'with space'],
    ['pincode', '5600'],
    ['password', 'short'],
    ['exp', 61],
    ['compname', '  '],
  ])('refuses %s %s', (field, value) => {
    expect(
      validate(professionalSchema, { ...typed, phone: '', [field]: value }).errors?.map(({ name }) => name),
    ).toEqual([field])
  })
})
