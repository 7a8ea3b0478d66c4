import { describe, expect, it } from 'vitest'
import accounts from '@/locales/en/accounts.json'
import { show, someone, until } from '@/shared/testing/mount'
import { field, fillAll, says, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import ProfessionalSignUpPage from './ProfessionalSignUpPage.vue'

const { fields } = accounts
const imran = {
  firstname: 'Imran',
  lastname: 'Khan',
  email: 'imran@example.org',
  address: '1 Church Street',
  pincode: '560001',
  compname: 'Khan Works',
  username: 'imran',
  password: 'four words are better',
}
const task = (id: number, name: string, isactive = 1) => ({ id, name, category: 'Repairs', isactive })
const paper = () => new File(['%PDF-1.7 a licence'], 'licence.pdf', { type: 'application/pdf' })

async function page() {
  answer('get', '/places', [200, { items: [] }])
  answer('get', '/tasks', [
    200,
    { items: [task(3, 'Tap repair'), task(4, 'Wiring'), task(5, 'Roofing', 0)], next_cursor: null },
  ])
  answer('post', '/check', [
    200,
    {
      access_token: 'a',
      token_type: 'Bearer',
      expires_in: 900,
      role: 'professional',
      user: someone('professional', { isactive: 0 }),
    },
  ])
  const { router } = await show(ProfessionalSignUpPage, { path: '/sign-up/professional' })
  await until(() => says('Wiring'), 'the tasks')
  fillAll(
    Object.fromEntries(
      Object.entries(imran).map(([name, text]) => [fields[name as keyof typeof imran], text]),
    ),
  )
  return router
}

async function choose(file: File) {
  const input = document.querySelector<HTMLInputElement>('input[type="file"]')
  if (!input) throw new Error('no field for a file')
  Object.defineProperty(input, 'files', { value: [file], configurable: true })
  input.dispatchEvent(new Event('change', { bubbles: true }))
  await until(() => says(file.name), 'the file')
}

describe('ProfessionalSignUpPage', () => {
  it('sends the tasks that were chosen, and leads to where the approval stands', async () => {
    const made = answer('post', '/add_professional', [201, {}])
    const router = await page()
    document.querySelector<HTMLInputElement>('input[type="checkbox"][value="4"]')?.click()
    await submit()
    await until(() => router.currentRoute.value.path === '/approval', 'the page')
    expect(made.map(({ body }) => body)).toEqual([{ ...imran, exp: 0, task_ids: [4] }])
  })

  it('offers no task that is turned off', async () => {
    await page()
    expect(says('Roofing')).toBe(false)
  })

  it('sends a document along in the same call', async () => {
    const made = answer('post', '/add_professional', [201, {}])
    const router = await page()
    await choose(paper())
    await submit()
    await until(() => router.currentRoute.value.path === '/approval', 'the page')
    expect(made[0]?.headers.get('content-type')).toContain('multipart/form-data')
    expect(made[0]?.body).toContain('name="document"; filename="licence.pdf"')
    expect(made[0]?.body).toContain('Khan Works')
  })

  it('says beside the document why it was refused, and keeps it with all that was typed', async () => {
    answer('post', '/add_professional', [
      422,
      { code: 'invalid_fields', errors: { document: ['The file is damaged.'] } },
    ])
    await page()
    await choose(paper())
    await submit()
    await until(() => says('The file is damaged.'), 'the word')
    expect(says('licence.pdf')).toBe(true)
    expect(field(fields.compname).value).toBe('Khan Works')
  })
})
