import { describe, expect, it } from 'vitest'
import common from '@/locales/en/common.json'
import audit from '@/locales/en/audit.json'
import { show, someone, until } from '@/shared/testing/mount'
import { button, fill, press, queryOf, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import AuditPage from './AuditPage.vue'

const { filters } = common
const entry = {
  id: 1,
  at: '2026-11-20T10:00:00+05:30',
  actor_id: 2,
  actor_role: 'admin',
  actor_username: 'meera',
  action: 'account_blocked',
  subject_id: 9,
  subject_kind: 'account',
  subject_username: 'ravi',
  address: '203.0.113.7',
  before: { reason: null },
  after: { reason: 'fraud' },
}

async function page(path: string, items: object[] = [entry]) {
  const asked = answer('get', '/audit', [200, { items, next_cursor: null } as never])
  answer('get', '/professionals/9', [200, { id: 9, firstname: 'Ravi', lastname: 'Rao' }])
  const { router } = await show(AuditPage, { user: someone('admin', { id: 7 }), path })
  await until(() => asked.length > 0, 'the call')
  return { asked, router }
}
const flip = (label: string) => {
  const id = [...document.querySelectorAll('label')].find((one) => one.textContent.trim() === label)?.htmlFor
  document.getElementById(id ?? '')?.click()
}

describe('AuditPage', () => {
  it('asks by what the address names, and leaves out what makes no sense', async () => {
    const { asked } = await page(
      '/admin/audit?actor_id=2&subject_id=9&action=account_blocked&from=2026-11-01&to=2026-02-31&changes_only=1',
    )
    expect(queryOf(asked[0])).toEqual({
      actor_id: '2',
      subject_id: '9',
      action: 'account_blocked',
      from: '2026-11-01',
      changes_only: '1',
    })
  })

  it('says in words who did what to whom, and what it changed', async () => {
    await page('/admin/audit')
    await sees(audit.actions.account_blocked)
    expect(['ravi', 'meera', audit.fields.reason, audit.values.fraud].filter((word) => !says(word))).toEqual(
      [],
    )
  })

  it('shows an action and a field that have no words yet by their own names', async () => {
    await page('/admin/audit', [{ ...entry, action: 'moon_landed', after: { crater_name: 'Copernicus' } }])
    await sees('moon landed')
    expect(says('crater name')).toBe(true)
  })

  it('narrows to the reader’s own actions, and to changes', async () => {
    const { asked } = await page('/admin/audit')
    flip(audit.mine)
    await until(() => queryOf(asked.at(-1)).actor_id === '7', 'the call')
    flip(audit.changesOnly)
    await until(() => queryOf(asked.at(-1)).changes_only === '1', 'the other call')
    expect(queryOf(asked.at(-1))).toEqual({ actor_id: '7', changes_only: '1' })
  })

  it('takes a day once it is whole', async () => {
    const { asked } = await page('/admin/audit')
    fill(filters.from, '0202-11-01')
    fill(filters.from, '2026-11-01')
    await until(() => queryOf(asked.at(-1)).from === '2026-11-01', 'the call')
    expect(asked.map((one) => queryOf(one).from)).not.toContain('0202-11-01')
  })

  it('names another admin whom it is narrowed to, and lets go of them', async () => {
    const { router } = await page('/admin/audit?actor_id=2&action=account_blocked')
    await press(audit.by.replace('{name}', 'meera'))
    await until(() => router.currentRoute.value.query.actor_id === undefined, 'all admins')
    expect(router.currentRoute.value.query).toEqual({ action: 'account_blocked' })
  })

  it('tells a trail that is empty from one that was narrowed too far, and clears the filters', async () => {
    const { router } = await page('/admin/audit?action=job_run', [])
    await sees(audit.noneFound)
    await press(filters.clear)
    await until(() => Object.keys(router.currentRoute.value.query).length === 0, 'the whole trail')
    await until(() => says(audit.none) && !says(audit.noneFound), 'the other word')
    expect(button(filters.clear)).toBeUndefined()
  })
})
