import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import errors from '@/locales/en/errors.json'
import visits from '@/locales/en/visits.json'
import { actAs } from '@/shared/api/identity'
import { clear, flush } from '@/shared/offline/actionQueue'
import { setToken } from '@/shared/api/token'
import type { Role, TaskRequestDetail } from '@/shared/api/types'
import { notePress } from '@/shared/push/presses'
import { show, someone, until } from '@/shared/testing/mount'
import { button, fill, press, problemOf, says, sees, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import UnsentNotice from './UnsentNotice.vue'
import VisitPanel from './VisitPanel.vue'

const request = (more: object = {}): TaskRequestDetail =>
  ({
    id: 3,
    status: 'accepted',
    accepted_at: '2026-11-27T10:00:00.123456+05:30',
    on_the_way_at: null,
    arrived_at: null,
    started_at: null,
    eta_at: null,
    on_time_at: null,
    start_code_policy: 'off',
    visit_actions: [],
    history: [],
    ...more,
  }) as unknown as TaskRequestDetail

const at = '2026-12-01T10:00:00+05:30'
const steps = ['on_the_way', 'running_late', 'arrive', 'start']
const noLink = { active: false, url: null, created_at: null, expires_at: null }
const panel = (role: Role, more: object) =>
  show(VisitPanel, { user: someone(role), props: { request: request(more) } })

beforeEach(() => {
  actAs(7)
  setToken('token', 900)
})
afterEach(async () => {
  vi.useRealTimers()
  // What a case has not waited for would be sent in the next one.
  await flush()
  await clear()
})

describe('VisitPanel of a professional', () => {
  it('sends the next step once, with a key', async () => {
    const sent = answer('post', '/requests/:id/on_the_way', [200, {}])
    await panel('professional', { visit_actions: steps })
    await press(visits.do.on_the_way)
    await until(() => sent.length === 1, 'the call')
    expect(sent[0]?.body).toEqual({})
    expect(sent[0]?.headers.get('Idempotency-Key')).toBeTruthy()
  })

  it('makes the next step the main button, and the later ones others', async () => {
    await panel('professional', { on_the_way_at: at, visit_actions: ['running_late', 'arrive', 'start'] })
    await until(() => button(visits.do.arrive) !== undefined, 'the next step')
    expect(button(visits.do.on_the_way)).toBeUndefined()
    expect(button(visits.do.start)).toBeDefined()
  })

  it('is confirmed as on time with one press, once, and then shows it', async () => {
    const sent = answer('post', '/requests/:id/on_time', [200, {}])
    await panel('professional', { visit_actions: ['on_time', ...steps] })
    await press(visits.do.on_time)
    await until(() => sent.length === 1, 'the call')
    expect(sent[0]?.headers.get('Idempotency-Key')).toBeTruthy()
    await panel('professional', { on_time_at: at, visit_actions: ['on_time', ...steps] })
    await sees(visits.onTime.confirmed)
  })

  it.each([
    ['a link', false, 0],
    ['a button of a notification', true, 1],
  ])('confirms by %s only what was pressed', async (_, isPressed, calls) => {
    const kept = new Map<string, Response>()
    vi.stubGlobal('caches', {
      open: async () => ({
        put: async (address: string, response: Response) => kept.set(address, response),
        match: async (address: string) => kept.get(address),
        delete: async (address: string) => kept.delete(address),
      }),
    })
    const sent = answer('post', '/requests/:id/on_time', [200, {}])
    if (isPressed) await notePress(3, 'on_time')
    const { router } = await show(VisitPanel, {
      user: someone('professional'),
      props: { request: request({ visit_actions: ['on_time', ...steps] }) },
      path: '/requests/3?action=on_time',
    })
    await until(() => button(visits.do.on_time) !== undefined, 'the choice')
    await until(() => router.currentRoute.value.query.action === undefined, 'the address')
    if (isPressed) await until(() => sent.length === 1, 'the call')
    await until(() => document.activeElement === button(visits.do.on_time), 'the focus')
    expect(sent).toHaveLength(calls)
    expect(kept.size).toBe(0)
    vi.unstubAllGlobals()
  })

  it('opens the new time by the link of a reminder', async () => {
    await show(VisitPanel, {
      user: someone('professional'),
      props: { request: request({ visit_actions: ['on_time', ...steps] }) },
      path: '/requests/3?action=running_late',
    })
    await sees(visits.late.action)
    expect(button(visits.late.action)).toBeDefined()
  })

  it('asks for the code before it starts, and says beside the field that it is wrong', async () => {
    const sent = answer('post', '/requests/:id/start', [
      422,
      { code: 'wrong_code', errors: { code: ['This code is incorrect.'] } },
    ])
    await panel('professional', { arrived_at: at, start_code_policy: 'required', visit_actions: ['start'] })
    await until(() => says(visits.code.help), 'the field')
    fill(visits.code.label, '12')
    await submit()
    await until(
      () => problemOf(visits.code.label)?.includes(visits.code.form) === true,
      'the form of the code',
    )
    expect(sent).toHaveLength(0)
    fill(visits.code.label, '1234')
    await submit()
    await until(() => problemOf(visits.code.label)?.includes(errors.wrong_code) === true, 'what is wrong')
    expect(sent[0]?.body).toEqual({ code: '1234' })
  })

  it('offers to undo until two minutes have passed', async () => {
    vi.useFakeTimers({ now: Date.parse(at) + 60_000, toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    const history = [{ action: 'arrive', at }]
    await panel('professional', { arrived_at: at, history, visit_actions: ['undo_step'] })
    await vi.waitFor(() => expect(button(visits.do.undo_step)).toBeDefined())
    await vi.advanceTimersByTimeAsync(60_001)
    await vi.waitFor(() => expect(button(visits.do.undo_step)).toBeUndefined())
  })
})

describe('VisitPanel of a professional without a connection', () => {
  it('shows what is not sent yet, sends it later, and offers a way out where it is refused', async () => {
    const online = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    const arrived = answer('post', '/requests/:id/arrive', [409, { code: 'invalid_transition' }], [200, {}])
    const { wrapper } = await panel('professional', { visit_actions: ['arrive', 'start'] })
    await press(visits.do.arrive)
    await sees(visits.unsent.hint)
    await press(visits.unsent.undo)
    await until(() => !says(visits.unsent.hint), 'nothing to send')
    await press(visits.do.arrive)
    await sees(visits.unsent.hint)
    online.mockReturnValue(true)
    window.dispatchEvent(new Event('online'))
    await sees(errors.invalid_transition)
    expect(arrived[0]?.body).toEqual({ at: expect.stringMatching(/^\d{4}-.+Z$/) })
    await press(visits.unsent.again)
    const waits = () => wrapper.find('#unsent').exists()
    await until(() => arrived.length === 2 && !waits(), 'nothing to send')
    expect(new Set(arrived.map(({ headers }) => headers.get('Idempotency-Key'))).size).toBe(1)
    online.mockRestore()
  })
})

describe('UnsentNotice', () => {
  it('discards what was refused about a request that can no longer be opened', async () => {
    answer('post', '/requests/:id/arrive', [404, { code: 'request_not_found' }])
    const online = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    await panel('professional', { visit_actions: ['arrive'] })
    await press(visits.do.arrive)
    await sees(visits.unsent.hint)
    const { wrapper } = await show(UnsentNotice, { user: someone('professional') })
    online.mockReturnValue(true)
    window.dispatchEvent(new Event('online'))
    await until(() => wrapper.find('button').exists(), 'the way out')
    expect(wrapper.find('a').exists()).toBe(false)
    await wrapper.find('button').trigger('click')
    await until(() => wrapper.text() === '', 'nothing refused')
    online.mockRestore()
  })

  it('shows what waits about a request that has ended meanwhile', async () => {
    answer('post', '/requests/:id/arrive', [409, { code: 'invalid_transition' }])
    const online = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    const { wrapper } = await panel('professional', { visit_actions: ['arrive'] })
    await press(visits.do.arrive)
    await sees(visits.unsent.hint)
    await wrapper.setProps({ request: request({ status: 'cancelled' }) })
    online.mockReturnValue(true)
    window.dispatchEvent(new Event('online'))
    await sees(errors.invalid_transition)
    await press(visits.unsent.drop)
    await until(() => !wrapper.text().includes(visits.unsent.refused), 'nothing refused')
    online.mockRestore()
  })
})

describe('VisitPanel of a customer', () => {
  it('shows the code and takes a confirmation in its place', async () => {
    answer('get', '/requests/:id/visit_link', [200, noLink])
    const sent = answer('post', '/requests/:id/start', [200, {}])
    const { wrapper } = await panel('customer', { start_code: '0472', visit_actions: ['start'] })
    await sees(visits.code.show)
    expect(wrapper.find('[data-start-code] [aria-hidden]').text()).toBe('0472')
    expect(wrapper.find('[data-start-code] .sr-only').text()).toBe('0 4 7 2')
    await press(visits.do.confirm)
    await until(() => sent.length === 1, 'the call')
    expect(sent[0]?.body).toEqual({})
  })

  it('shows the address of a new link, and ends it', async () => {
    const link = { active: true, url: null, created_at: at, expires_at: at }
    answer('get', '/requests/:id/visit_link', [200, noLink], [200, link], [200, noLink])
    answer('post', '/requests/:id/visit_link', [201, { ...link, url: 'https://door.example/app/visit/abc' }])
    const ended = answer('delete', '/requests/:id/visit_link', [204])
    const { wrapper } = await panel('customer', { visit_actions: [] })
    await press(visits.share.create)
    const shown = () => wrapper.find<HTMLInputElement>('input[readonly]')
    await until(() => shown().exists(), 'the address')
    expect(shown().element.value).toBe('https://door.example/app/visit/abc')
    await press(visits.share.end)
    await until(() => !shown().exists(), 'the end')
    expect(ended).toHaveLength(1)
  })
})

it('shows admins the times alone, and nobody anything before the acceptance', async () => {
  const { wrapper } = await panel('admin', { arrived_at: at, visit_actions: [] })
  await sees(visits.steps.arrive)
  expect(wrapper.findAll('section button')).toHaveLength(0)
  expect(wrapper.find('[aria-current=step]').text()).toContain(visits.steps.arrive)
  expect(wrapper.findAll('ol > li').map((step) => step.text().includes(visits.notRecorded))).toEqual([
    true,
    false,
    false,
  ])
  const { wrapper: other } = await panel('customer', { status: 'requested' })
  expect(other.find('#visit').exists()).toBe(false)
})
