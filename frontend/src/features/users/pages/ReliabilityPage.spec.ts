import { describe, expect, it } from 'vitest'
import common from '@/locales/en/common.json'
import users from '@/locales/en/users.json'
import { show, someone, until } from '@/shared/testing/mount'
import { fill, press, queryOf, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import ReliabilityPage from './ReliabilityPage.vue'

const { filters } = common
const ravi = {
  account_id: 9,
  role: 'professional',
  firstname: 'Ravi',
  lastname: 'Rao',
  cancelled: 0,
  cancelled_late: 0,
  released: 2,
  times: 2,
  latest: '2026-11-20T10:00:00+05:30',
}
const asha = { ...ravi, account_id: 4, role: 'customer', firstname: 'Asha', cancelled: 3, cancelled_late: 1 }

async function page(path: string, items: object[]) {
  const asked = answer('get', '/reliability', [200, { items, next_cursor: null } as never])
  const { router } = await show(ReliabilityPage, { user: someone('admin'), path })
  await until(() => asked.length > 0, 'the call')
  return { asked, router }
}

describe('ReliabilityPage', () => {
  it('asks for professionals first, and for customers by their tab', async () => {
    const { asked } = await page('/admin/reliability?from=2026-10-01&to=2026-02-31', [ravi])
    await sees('2 released')
    expect(queryOf(asked[0])).toEqual({ role: 'professional', from: '2026-10-01', least: '1' })
    expect(document.querySelector('a[href="/admin/professionals/9"]')).not.toBeNull()
    await press(users.customers.title)
    await until(() => queryOf(asked.at(-1)).role === 'customer', 'the call')
    expect(queryOf(asked.at(-1)).from).toBe('2026-10-01')
  })

  it('says of customers how many they cancelled, and how many of these late', async () => {
    await page('/admin/reliability?role=customer', [asha])
    await sees('3 cancelled, 1 late')
    expect(document.querySelector('a[href="/admin/customers/4"]')).not.toBeNull()
    expect(says('released')).toBe(false)
  })

  it('narrows to the days that are chosen', async () => {
    const { asked, router } = await page('/admin/reliability', [])
    await sees(users.reliability.none)
    fill(filters.to, '2026-10-31')
    await until(() => queryOf(asked.at(-1)).to === '2026-10-31', 'the call')
    expect(router.currentRoute.value.query).toEqual({ to: '2026-10-31' })
  })
})
