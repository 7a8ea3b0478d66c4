import { describe, expect, it } from 'vitest'
import common from '@/locales/en/common.json'
import audit from '@/locales/en/audit.json'
import deliveries from '@/locales/en/deliveries.json'
import errors from '@/locales/en/errors.json'
import { show, someone, until } from '@/shared/testing/mount'
import { button, press, queryOf, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import DeliveriesPage from './DeliveriesPage.vue'

const { filters } = common
const delivery = {
  id: 31,
  account_id: 4,
  kind: 'request_accepted',
  channel: 'mail',
  next_channels: [],
  state: 'failed',
  attempts: 3,
  message_id: '<31@doorstep.example>',
  error: 'Mailbox full',
  request_id: 12,
  run_id: null,
  created_at: '2026-11-20T10:00:00+05:30',
  not_before: null,
  sent_at: null,
}
const tries = [{ number: 1, at: '2026-11-20T10:01:00+05:30', outcome: 'refused', detail: '552 over quota' }]

async function page(path: string, items: object[] = [delivery]) {
  const asked = answer('get', '/deliveries', [200, { items, next_cursor: null } as never])
  answer('get', '/customers/:id', [200, { id: 4, firstname: 'Asha', lastname: 'Rao' }])
  answer('get', '/professionals/:id', [404, { code: 'not_found' }])
  const { router } = await show(DeliveriesPage, { user: someone('admin'), path })
  await until(() => asked.length > 0, 'the call')
  return { asked, router }
}

describe('DeliveriesPage', () => {
  it('asks by what the address names, and leaves out what it does not know', async () => {
    answer('get', '/deliveries/31', [200, { ...delivery, tries }])
    const first = await page(
      '/admin/deliveries?state=failed&kind=report&channel=sms&account_id=4&run_id=8&open=31',
    )
    expect(queryOf(first.asked[0])).toEqual({
      state: 'failed',
      kind: 'report',
      channel: 'sms',
      account_id: '4',
      run_id: '8',
    })
    const second = await page('/admin/deliveries?state=lost&kind=x&channel=pigeon&account_id=me')
    expect(queryOf(second.asked[0])).toEqual({})
  })

  it('shows a kind of message that has no words yet by its own name', async () => {
    await page('/admin/deliveries', [{ ...delivery, kind: 'moon_landed' }])
    await sees('moon_landed')
    expect(says('deliveries.kinds')).toBe(false)
  })

  it('narrows to a state by its tab', async () => {
    const { asked } = await page('/admin/deliveries')
    await press(deliveries.states.skipped)
    await until(() => queryOf(asked.at(-1)).state === 'skipped', 'the call')
  })

  it('opens one with each try at it, and resends it', async () => {
    const detail = answer('get', '/deliveries/31', [200, { ...delivery, tries }])
    const resent = answer('post', '/deliveries/31/resend', [409, { code: 'not_failed' }], [202, {}])
    const { router } = await page('/admin/deliveries')
    await sees('Mailbox full')
    ;[...document.querySelectorAll<HTMLButtonElement>('li button')][0]?.click()
    await sees('552 over quota')
    expect(router.currentRoute.value.query).toEqual({ open: '31' })
    expect(says(deliveries.outcomes.refused)).toBe(true)
    await press(deliveries.resend)
    await sees(errors.not_failed)
    await press(deliveries.resend)
    await sees(deliveries.resent)
    expect(resent).toHaveLength(2)
    await until(() => detail.length > 1, 'its state now')
  })

  it('offers no second sending of what was sent', async () => {
    answer('get', '/deliveries/31', [200, { ...delivery, state: 'sent', error: null, tries: [] }])
    await page('/admin/deliveries?open=31')
    await sees(deliveries.noTries)
    expect(button(deliveries.resend)).toBeUndefined()
  })

  it('tells a log that is empty from one that was narrowed too far; an open message narrows nothing', async () => {
    answer('get', '/deliveries/31', [200, { ...delivery, tries }])
    await page('/admin/deliveries?open=31', [])
    await sees(deliveries.none)
    expect(button(filters.clear)).toBeUndefined()
    await page('/admin/deliveries?state=sent', [])
    await sees(deliveries.noneFound)
    expect(says(audit.noneFoundHint)).toBe(true)
  })
})
