import { describe, expect, it } from 'vitest'
import accounts from '@/locales/en/accounts.json'
import errors from '@/locales/en/errors.json'
import { show, someone, until } from '@/shared/testing/mount'
import { alert, field, fillAll, problemOf, says, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import SignUpPage from './SignUpPage.vue'

const { fields } = accounts
const asha = {
  firstname: 'Asha',
  lastname: 'Rao',
  email: 'asha@example.org',
  address: '12 Residency Road',
  pincode: '560025',
  username: 'asha',
  password: 'four words are better',
}
const typed = (values: Partial<typeof asha> = asha) =>
  fillAll(
    Object.fromEntries(
      Object.entries(values).map(([name, text]) => [fields[name as keyof typeof asha], text]),
    ),
  )

async function page(path = '/sign-up') {
  answer('get', '/places', [200, { items: [] }])
  answer('post', '/check', [
    200,
    {
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: 900,
      role: 'customer',
      user: someone('customer'),
    },
  ])
  return show(SignUpPage, { path })
}

describe('SignUpPage', () => {
  it.each([
    ['/sign-up?next=/tasks/3/ask', '/tasks/3/ask'],
    ['/sign-up?next=//elsewhere.example', '/'],
  ])('makes the account and goes from %s on to %s', async (path, next) => {
    const made = answer('post', '/add_customer', [201, {}])
    const { router } = await page(path)
    typed()
    await submit()
    await until(() => router.currentRoute.value.path === next, next)
    expect(made.map(({ body }) => body)).toEqual([asha])
  })

  it('says beside the field that a username is taken, and keeps everything that was typed', async () => {
    answer('post', '/add_customer', [
      422,
      { code: 'username_taken', errors: { username: ['The server says so.'] } },
    ])
    await page()
    typed()
    await submit()
    await until(() => problemOf(fields.username) !== undefined, 'the word')
    expect(problemOf(fields.username)).toContain(errors.username_taken)
    expect(field(fields.email).value).toBe(asha.email)
    expect(field(fields.password).value).toBe(asha.password)
  })

  it('leads to the first field that is wrong, and asks the server nothing', async () => {
    const made = answer('post', '/add_customer', [201, {}])
    await page()
    typed({ ...asha, email: 'asha', pincode: '012345' })
    await submit()
    await until(() => document.activeElement === field(fields.email), 'the focus')
    expect(problemOf(fields.pincode)).toBeDefined()
    expect(made).toEqual([])
  })

  it('keeps what was typed through a reload, but never the password', async () => {
    const { wrapper } = await page()
    typed()
    await until(() => Object.values(sessionStorage).some((kept) => String(kept).includes('Residency')), 'it')
    expect(Object.values(sessionStorage).join(' ')).not.toContain(asha.password)
    wrapper.unmount()
    await page()
    expect(field(fields.address).value).toBe(asha.address)
    expect(field(fields.password).value).toBe('')
  })

  it('tells that the account was made when only signing in failed', async () => {
    answer('post', '/add_customer', [201, {}])
    await page()
    answer('post', '/check', [503, { code: 'unavailable' }])
    typed()
    await submit()
    await until(() => alert() !== undefined, 'the word')
    expect(says(errors.sign_up_done)).toBe(true)
  })
})
