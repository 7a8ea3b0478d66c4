import { describe, expect, it } from 'vitest'
import requests from '@/locales/en/requests.json'
import status from '@/locales/en/status.json'
import { show, someone, until } from '@/shared/testing/mount'
import { button, link, press, queryOf, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import WorkPage from './WorkPage.vue'

async function page(path: string) {
  const asked = answer('get', '/requests', [200, { items: [], next_cursor: null }])
  await show(WorkPage, { user: someone('professional'), path })
  await until(() => asked.length > 0, 'the call')
  return asked
}

describe('WorkPage', () => {
  it('asks for the professional’s own work, narrowed by its tab', async () => {
    const asked = await page('/work')
    expect(queryOf(asked[0])).toEqual({ scope: 'mine' })
    await press(status.completed)
    await until(() => queryOf(asked.at(-1)).status === 'completed', 'the call')
    expect(queryOf(asked.at(-1))).toEqual({ scope: 'mine', status: 'completed' })
  })

  it('offers no state that accepted work never has', async () => {
    const asked = await page('/work?status=requested')
    expect(queryOf(asked[0])).toEqual({ scope: 'mine' })
    expect([button(status.requested), button(status.expired)]).toEqual([undefined, undefined])
  })

  it('leads to the inbox where nothing was accepted', async () => {
    await page('/work')
    await sees(requests.work.none)
    expect(link(requests.work.toInbox)?.getAttribute('href')).toBe('/inbox')
  })
})
