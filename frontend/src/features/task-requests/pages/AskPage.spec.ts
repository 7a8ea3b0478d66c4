import { http, HttpResponse } from 'msw'
import { describe, expect, it, vi } from 'vitest'
import requests from '@/locales/en/requests.json'
import { actAs } from '@/shared/api/identity'
import { setToken } from '@/shared/api/token'
import { comingDays } from '@/shared/lib/marketTime'
import { draftKey } from '@/shared/session/kept'
import { show, someone, until } from '@/shared/testing/mount'
import { answer, server } from '@/shared/testing/server'
import AskPage from './AskPage.vue'

const route = vi.hoisted(() => ({ query: {} as Record<string, string>, params: { id: '3' } }))
vi.mock(import('vue-router'), async (original) => ({ ...(await original()), useRoute: () => route as never }))

const professional = (id: number) => ({
  id,
  firstname: 'Ravi',
  lastname: 'Rao',
  compname: `Rao ${id}`,
  exp: 5,
  rating: null,
  reviews: 0,
  distance_km: null,
})
const page = (...items: object[]) => ({ items, next_cursor: null as string | null })
const typed = {
  day: comingDays(3)[2],
  time: '10:00',
  address: '12 Residency Road',
  pincode: '560025',
  remarks: '',
  professional_id: 0,
}
const kept = () =>
  JSON.parse(sessionStorage.getItem(draftKey('ask-3')) ?? 'null') as Record<string, unknown> | null

/** The page as the customer sees it, with what they typed at an earlier visit. */
async function ask(draft: object | null, query: Record<string, string> = {}) {
  actAs(7)
  setToken('of seven', 900)
  route.query = query
  if (draft) sessionStorage.setItem(draftKey('ask-3'), JSON.stringify(draft))
  answer('get', '/tasks/3', [
    200,
    { id: 3, name: 'Tap repair', base_price: '499.00', currency: 'INR', time_required: 60, isactive: 1 },
  ])
  answer('get', '/tasks/3/times', [200, { items: [] }])
  answer('get', '/places', [200, { items: [] }])
  const { wrapper } = await show(AskPage, { user: someone('customer') })
  await until(() => wrapper.find('form').exists(), 'the form')
  const submit = () => wrapper.find('form').trigger('submit')
  const field = (name: string) =>
    wrapper.find<HTMLInputElement>(`[name="${name}"], [autocomplete="${name}"]`).element.value
  return { wrapper, submit, field, text: () => wrapper.text() }
}
const nobody = () => answer('get', '/tasks/3/professionals', [200, page()])

describe('AskPage', () => {
  it.each([
    ['day', '', ''],
    ['time', typed.day, ''],
  ])('leads to the %s that is missing', async (name, day, time) => {
    nobody()
    const { submit, text } = await ask({ ...typed, day, time })
    await until(() => day === '' || document.querySelector('[name$="-time"]') !== null, 'the times')
    await submit()
    await until(() => text().includes(requests.when.missing), 'the reason')
    const focused = () => document.activeElement?.getAttribute('name') ?? ''
    await until(() => focused().endsWith(`-${name}`), 'the focus')
  })

  it('creates one request, also after a lost response and a reload', async () => {
    nobody()
    const keys: (string | null)[] = []
    server.use(
      http.post('*/requests', ({ request }) => {
        keys.push(request.headers.get('idempotency-key'))
        return keys.length === 1 ? HttpResponse.error() : HttpResponse.json({ id: 9 }, { status: 201 })
      }),
    )
    const first = await ask({ ...typed, key: 'one-order', link: '/' })
    await first.submit()
    await until(() => first.text().includes('The server cannot be reached.'), 'the failure')
    first.wrapper.unmount()
    const again = await ask(null)
    await again.submit()
    await until(() => keys.length === 2, 'the second try')
    expect(keys).toEqual(['one-order', 'one-order'])
    await until(() => kept() === null, 'the draft to go')
  })

  it('reports that an earlier version was stored, and only then uses a new key', async () => {
    nobody()
    const seen = answer(
      'post',
      '/requests',
      [503],
      [409, { code: 'still_running' }],
      [422, { code: 'idempotency_key_reused' }],
      [201, { id: 9 }],
    )
    const { submit, text } = await ask({ ...typed, key: 'one-order', link: '/' })
    for (const words of [
      'Part of Doorstep is temporarily unavailable',
      'This is already in progress',
      'An earlier version of this was already sent.',
    ]) {
      await submit()
      await until(() => text().includes(words), words)
    }
    await submit()
    await until(() => seen.length === 4, 'the new order')
    const keys = seen.map((one) => one.headers.get('idempotency-key'))
    expect(keys.slice(0, 3)).toEqual(['one-order', 'one-order', 'one-order'])
    expect(keys[3]).not.toBe('one-order')
  })

  it("uses the pincode of a new link instead of an older draft's", async () => {
    nobody()
    const { field } = await ask(
      { ...typed, pincode: '110001', address: '5 Old Street', remarks: 'Second floor', link: '110001/' },
      { pincode: '560001' },
    )
    await until(() => kept()?.pincode === '560001', 'the new place')
    expect(field('street-address')).toBe('')
    expect(kept()).toMatchObject({ remarks: 'Second floor', time: '10:00', link: '560001/' })
  })

  it('keeps typed values over those of the link', async () => {
    nobody()
    const { field } = await ask(
      { ...typed, pincode: '560002', address: '5 Other Street', link: '560001/' },
      { pincode: '560001' },
    )
    expect(field('street-address')).toBe('5 Other Street')
    expect(kept()).toMatchObject({ pincode: '560002' })
  })

  it('loads further pages until the chosen professional is found, and reports when they are not listed', async () => {
    const pages = (last: object) =>
      [1, 2, 3]
        .map((one) => [200, { items: [professional(one)], next_cursor: `after-${one}` }] as [number, object])
        .concat([[200, last]])
    const seen = answer('get', '/tasks/3/professionals', ...pages(page(professional(44))))
    const { text, wrapper } = await ask({ ...typed, link: '/' }, { professional: '44' })
    await until(() => text().includes('Rao 44'), 'the fourth page')
    expect(seen).toHaveLength(4)
    expect(text()).not.toContain('does not serve this pincode')
    wrapper.unmount()
    sessionStorage.clear()
    answer('get', '/tasks/3/professionals', ...pages(page(professional(4))))
    const other = await ask({ ...typed, link: '/' }, { professional: '44' })
    await until(() => other.text().includes('does not serve this pincode'), 'the word')
  })

  it.each([
    [1, 44, 'Rao 44'],
    [0, 0, 'Ravi cannot be requested for this task.'],
  ])(
    'is filled in from an earlier request (professional available: %s)',
    async (available, chosen, words) => {
      const earlier = {
        task_id: 3,
        task_name: 'Tap repair',
        available: 1,
        address: '7 Church Street',
        pincode: '560001',
        remarks: 'Blue gate',
        professional: { id: 44, firstname: 'Ravi', compname: 'Rao 44', available },
      }
      answer('get', '/requests/8/again', [200, earlier])
      answer('get', '/tasks/3/professionals', [200, page(professional(44))])
      const { field, text } = await ask(null, { again: '8' })
      expect(field('street-address')).toBe('7 Church Street')
      await until(() => text().includes(words), words)
      expect(kept()).toMatchObject({ remarks: 'Blue gate', pincode: '560001', professional_id: chosen })
    },
  )

  it('keeps what was typed over the earlier request after a reload', async () => {
    nobody()
    answer('get', '/requests/8/again', [200, { ...typed, address: '7 Church Street', professional: null }])
    const { field } = await ask({ ...typed, address: '9 Hill Road', link: '//8' }, { again: '8' })
    expect(field('street-address')).toBe('9 Hill Road')
  })
})
