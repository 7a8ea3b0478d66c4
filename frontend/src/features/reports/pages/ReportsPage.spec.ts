import { describe, expect, it } from 'vitest'
import reports from '@/locales/en/reports.json'
import { show, someone, until } from '@/shared/testing/mount'
import { says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import { monthName, thisMonth } from '../useReports'
import ReportsPage from './ReportsPage.vue'

const month = { requested: 4, spent: '1497.00', currency: 'INR' }

async function page(items: object[], running: [number, object?] = [200, { ...month, spent: '250.00' }]) {
  answer('get', '/reports', [200, { items, next_cursor: null } as never])
  const asked = answer('get', '/reports/:month', running as [number, never])
  await show(ReportsPage, { user: someone('customer') })
  await until(() => asked.length > 0, 'the running month')
  return asked
}

describe('ReportsPage', () => {
  it('leads to each month, the running one first with what was spent so far', async () => {
    const asked = await page([{ ...month, month: '2026-01', sent_at: '2026-02-01T06:00:00Z', closed: 1 }])
    await sees('₹250')
    await sees(monthName('2026-01', 'en'))
    expect(asked[0]?.url.pathname).toBe(`/reports/${thisMonth()}`)
    expect([...document.querySelectorAll('a')].map((one) => one.getAttribute('href'))).toEqual([
      `/reports/${thisMonth()}`,
      '/reports/2026-01',
    ])
    expect(says('4 requests')).toBe(true)
  })

  it('says when the first one comes, also where the running month cannot be read', async () => {
    await page([], [500])
    await sees(reports.noneHint)
    expect(says(reports.unfinished)).toBe(true)
  })
})
