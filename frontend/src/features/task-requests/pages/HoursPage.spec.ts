import { describe, expect, it } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import HoursPage from './HoursPage.vue'

const hours = {
  weekly: [],
  exceptions: [{ date: '2099-12-25', hours: [] }],
  usual: { from: '08:00', to: '20:00' },
  timezone: 'Asia/Kolkata',
}
const submit = () => document.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }))
const boxes = () => [...document.querySelectorAll<HTMLInputElement>('input[type="checkbox"]')]

describe('HoursPage', () => {
  it('saves the weekly hours and the days off', async () => {
    answer('get', '/me/hours', [200, hours])
    const seen = answer('put', '/me/hours', [200, hours])
    await show(HoursPage, { user: someone('professional') })
    await until(() => boxes().length === 7, 'the week')
    boxes()[6]?.click()
    submit()
    await until(() => seen.length === 1, 'the call')
    expect(seen[0]?.body).toEqual({
      weekly: [0, 1, 2, 3, 4, 5].map((weekday) => ({ weekday, from: '08:00', to: '20:00' })),
      exceptions: [{ date: '2099-12-25', hours: [] }],
    })
  })

  it('keeps at least one day, as no weekly hours would mean every day', async () => {
    answer('get', '/me/hours', [200, hours])
    const seen = answer('put', '/me/hours', [200, hours])
    const { wrapper } = await show(HoursPage, { user: someone('professional') })
    await until(() => boxes().length === 7, 'the week')
    for (const box of boxes()) box.click()
    submit()
    await until(() => wrapper.text().includes('Keep at least one working day'), 'the refusal')
    expect(seen).toHaveLength(0)
  })
})
