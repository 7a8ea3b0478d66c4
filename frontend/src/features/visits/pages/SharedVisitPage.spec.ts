import { describe, expect, it } from 'vitest'
import visits from '@/locales/en/visits.json'
import { show, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { sharedInterval } from '../useVisit'
import SharedVisitPage from './SharedVisitPage.vue'

const at = '2026-12-01T10:00:00+05:30'
const visit = {
  task_name: 'Tap repair',
  status: 'accepted',
  date_of_request: at,
  time_required: 60,
  professional: { id: 5, firstname: 'Imran', compname: 'Khan Works', photo_url: null },
  on_the_way_at: at,
  eta_at: at,
  arrived_at: null,
  started_at: null,
  completed_at: null,
  expires_at: at,
}
const page = () => show(SharedVisitPage, { route: '/visit/:token', path: '/visit/abc' })

describe('SharedVisitPage', () => {
  it('shows who comes and where the visit stands, to visitors', async () => {
    const asked = answer('get', '/visits/:token', [200, visit])
    const { wrapper } = await page()
    await until(() => wrapper.text().includes('Khan Works'), 'the visit')
    expect(asked[0]?.url.pathname).toBe('/visits/abc')
    expect(wrapper.text()).toContain(visits.expected)
    expect(wrapper.find('a[href$="/professionals/5"]').text()).toBe('Imran')
    expect(wrapper.find('[aria-current=step]').text()).toContain(visits.steps.on_the_way)
  })

  it('says that nobody has accepted', async () => {
    answer('get', '/visits/:token', [200, { ...visit, status: 'requested', professional: null }])
    const { wrapper } = await page()
    await until(() => wrapper.text().includes(visits.shared.nobody), 'the words')
  })

  it('says that the link has ended', async () => {
    answer('get', '/visits/:token', [404, { code: 'not_found' }])
    const { wrapper } = await page()
    await until(() => wrapper.text().includes(visits.shared.ended), 'the words')
  })

  it('asks again within 30 seconds at most', () => {
    expect(sharedInterval * 1.2).toBeLessThanOrEqual(30_000)
  })
})
