import { describe, expect, it } from 'vitest'
import accounts from '@/locales/en/accounts.json'
import errors from '@/locales/en/errors.json'
import { show, someone, until } from '@/shared/testing/mount'
import { button, field, fill, press, problemOf, says, sees, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import ProfilePage from './ProfilePage.vue'

const { fields } = accounts
const asha = someone('customer', { phone: '+919876543210' })
const ravi = someone('professional', {
  compname: 'Rao and Sons',
  exp: 4,
  task_ids: [3],
  radius_km: 10,
  pincodes: ['560001'],
})

async function page(user = asha) {
  answer('get', '/places', [200, { items: [] }])
  answer('get', '/tasks', [
    200,
    {
      items: [
        { id: 3, name: 'Tap repair', category: 'Repairs', isactive: 1 },
        { id: 4, name: 'Wiring', category: 'Repairs', isactive: 1 },
      ],
      next_cursor: null,
    },
  ])
  const saved = answer('patch', '/me', [200, { ...user, firstname: 'Saved' }])
  await show(ProfilePage, { user, path: '/profile' })
  return saved
}
describe('ProfilePage', () => {
  it('sends only what was changed, an emptied phone as none', async () => {
    const saved = await page()
    fill(fields.address, '5 New Street')
    fill(fields.phone, '')
    await submit()
    await sees(accounts.profile.saved)
    expect(saved.map(({ body }) => body)).toEqual([{ address: '5 New Street', phone: null }])
  })

  it('calls nothing where nothing was changed, and says so', async () => {
    const saved = await page()
    await submit()
    await sees(accounts.profile.unchanged)
    expect(saved).toEqual([])
  })

  it('says beside the email that it is taken, and keeps it', async () => {
    await page()
    answer('patch', '/me', [422, { code: 'email_taken', errors: { email: ['The server says so.'] } }])
    fill(fields.email, 'meera@example.org')
    await submit()
    await until(() => problemOf(fields.email)?.includes(errors.email_taken) === true, 'the word')
    expect(field(fields.email).value).toBe('meera@example.org')
  })

  it('lets professionals change where they go and what they offer', async () => {
    const saved = await page(ravi)
    await sees('Wiring')
    document.querySelector<HTMLInputElement>('input[type="checkbox"][value="4"]')?.click()
    await press(accounts.fields.pincodeDrop.replace('{pincode}', '560001'))
    await submit()
    await until(() => saved.length === 1, 'the call')
    expect(saved[0]?.body).toEqual({ task_ids: [3, 4], pincodes: [] })
  })

  it('asks customers nothing that only professionals have', async () => {
    await page()
    expect([fields.compname, fields.radius, fields.tasks].filter(says)).toEqual([])
  })

  it('changes the password and empties both fields', async () => {
    await page()
    const changed = answer('post', '/me/password', [204])
    fill(fields.currentPassword, 'the old four words')
    fill(fields.newPassword, 'four words are better')
    await submit('section:last-of-type form')
    await sees(accounts.password.changed)
    expect(changed[0]?.body).toEqual({
      current_password: 'the old four words',
      password: 'four words are better',
    })
    expect([field(fields.currentPassword).value, field(fields.newPassword).value]).toEqual(['', ''])
  })

  it('says beside the current password that it is wrong', async () => {
    await page()
    answer('post', '/me/password', [
      422,
      { code: 'wrong_password', errors: { current_password: ['This is not your password.'] } },
    ])
    fill(fields.currentPassword, 'not mine')
    fill(fields.newPassword, 'four words are better')
    await submit('section:last-of-type form')
    await until(() => problemOf(fields.currentPassword) !== undefined, 'the word')
    expect(field(fields.newPassword).value).toBe('four words are better')
  })

  it('sends the email of a confirmation again', async () => {
    const sent = answer('post', '/me/email/confirmation', [202])
    await page({ ...asha, email_confirmed: 0 })
    await press(accounts.confirm.sendAgain)
    await sees(accounts.confirm.sent.replace('{email}', asha.email))
    expect(sent).toHaveLength(1)
    expect(button(accounts.confirm.sendAgain)).toBeDefined()
  })
})
