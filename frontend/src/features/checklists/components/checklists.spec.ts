import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import texts from '@/locales/en/checklists.json'
import visits from '@/locales/en/visits.json'
import { actAs } from '@/shared/api/identity'
import { setToken } from '@/shared/api/token'
import type { Role, TaskRequest } from '@/shared/api/types'
import { show, someone, until } from '@/shared/testing/mount'
import { button, fill, press, problemOf, says, sees, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import RequestChecklist from './RequestChecklist.vue'
import TaskChecklistForm from './TaskChecklistForm.vue'

const point = (number: number, more: object = {}) => ({
  number,
  text: `Point ${number}`,
  photo: false,
  required: false,
  done_at: null,
  photo_ids: [],
  ...more,
})
const at = '2026-11-01T10:00:00+05:30'
async function open(role: Role, items: object[], more: object = {}) {
  answer('get', '/requests/:id/checklist', [200, { items }])
  const times = { accepted_at: at, on_the_way_at: null, arrived_at: null, started_at: null }
  const request = { id: 3, status: 'accepted', professional_id: 7, ...times, ...more }
  return show(RequestChecklist, {
    user: someone(role),
    props: { request: request as unknown as TaskRequest },
  })
}
const boxes = () => [...document.querySelectorAll<HTMLInputElement>('input[type=checkbox]')]

beforeEach(() => {
  document.body.innerHTML = ''
  actAs(7)
  setToken('token', 900)
})

describe('RequestChecklist', () => {
  it('shows nothing without points, and does not ask before someone has accepted', async () => {
    const asked = answer('get', '/requests/:id/checklist', [200, { items: [] }])
    const request = { id: 3, status: 'requested', professional_id: null } as unknown as TaskRequest
    const { wrapper } = await show(RequestChecklist, { user: someone('customer'), props: { request } })
    expect(wrapper.find('section').exists()).toBe(false)
    expect(asked).toHaveLength(0)
  })

  it('lets the professional tick a point, and asks for the photo of one that needs it', async () => {
    await open('professional', [point(1), point(2, { photo: true, required: true })])
    await sees('0 of 2 done')
    const sent = answer('put', '/requests/:id/checklist/:number', [200, { items: [] }])
    await until(() => boxes().length === 2, 'the boxes')
    expect(boxes()[1]?.disabled).toBe(true)
    expect(says(texts.needsPhoto)).toBe(true)
    expect(says(texts.requiredHint)).toBe(true)
    boxes()[0]?.click()
    await until(() => sent.length === 1, 'the call')
    expect([sent[0]?.url.pathname, sent[0]?.body]).toEqual(['/requests/3/checklist/1', { done: true }])
    await until(() => boxes()[0]?.disabled !== true, 'the answer')
  })

  it('keeps ticks without a connection, and sends each once and in order, with its time', async () => {
    const online = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    const sent = answer('put', '/requests/:id/checklist/:number', [200, { items: [] }])
    await open('professional', [point(1), point(2)])
    await until(() => boxes().length === 2, 'the boxes')
    for (const index of [1, 0, 1]) {
      const before = boxes()[index]?.checked
      boxes()[index]?.click()
      await until(() => boxes()[index]?.checked !== before, 'the change')
      await until(() => boxes()[index]?.disabled === false, 'the box')
    }
    expect(boxes().map((box) => box.checked)).toEqual([true, false])
    expect(document.body.textContent?.split(visits.unsent.title)).toHaveLength(3)
    expect(says('1 of 2 done')).toBe(true)
    expect(sent).toHaveLength(0)
    online.mockReturnValue(true)
    window.dispatchEvent(new Event('online'))
    await until(() => !says(visits.unsent.title), 'everything sent')
    const isTime = expect.stringMatching(/^\d{4}-.+Z$/)
    expect(sent.map(({ url, body }) => [url.pathname.at(-1), body])).toEqual([
      ['2', { done: true, at: isTime }],
      ['1', { done: true, at: isTime }],
      ['2', { done: false, at: isTime }],
    ])
    online.mockRestore()
  })

  it.each([
    [null, 'before'],
    [at, 'after'],
  ])('adds the photo of a point to the phase of the visit that started at %s', async (started_at, phase) => {
    const sent = answer('post', '/requests/:id/photos', [201, {}])
    await open('professional', [point(1, { photo: true })], { id: phase.length, started_at })
    const input = () => document.querySelector<HTMLInputElement>('input[type=file]')
    await until(() => input() !== null, 'the button')
    const files = [new File(['\u00FF\u00D8\u00FF'], 'tap.jpg', { type: 'image/jpeg' })]
    Object.defineProperty(input(), 'files', { value: files })
    input()?.dispatchEvent(new Event('change', { bubbles: true }))
    await until(() => sent.length === 1, 'the call')
    expect(sent[0]?.body).toMatch(new RegExp(`name="phase"\\s+${phase}\\s`))
    expect(sent[0]?.body).toMatch(/name="point"\s+1\s/)
  })

  it('shows the customer what is done, without boxes', async () => {
    await open('customer', [point(1, { done_at: at }), point(2)], { professional_id: 9 })
    await sees('1 of 2 done')
    expect(boxes()).toHaveLength(0)
    expect(says(texts.open)).toBe(true)
  })
})

describe('TaskChecklistForm', () => {
  it('saves points in their order, and names those that are too short', async () => {
    answer('get', '/tasks/:id/checklist', [
      200,
      { points: [{ text: 'Water is off', photo: false }], required: false },
    ])
    const sent = answer('put', '/tasks/:id/checklist', [200, { points: [], required: false }])
    await show(TaskChecklistForm, { user: someone('admin'), props: { taskId: 5 } })
    await until(() => button('Remove point 1') !== undefined, 'the point')
    await press(texts.form.add)
    await until(() => button('Remove point 2') !== undefined, 'the new point')
    await submit()
    await until(() => problemOf('Point 2') !== undefined, 'what is wrong')
    expect(sent).toHaveLength(0)
    fill('Point 2', ' Joint is dry ')
    await press('Move point 2 up')
    await submit()
    await until(() => sent.length === 1, 'the call')
    expect(sent[0]?.body).toEqual({
      points: [
        { text: 'Joint is dry', photo: false },
        { text: 'Water is off', photo: false },
      ],
      required: false,
    })
  })
})
