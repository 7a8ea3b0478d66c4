import { describe, expect, it } from 'vitest'
import texts from '@/locales/en/checklists.json'
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
const at = '2026-12-01T10:00:00+05:30'
async function open(role: Role, items: object[], more: object = {}) {
  answer('get', '/requests/:id/checklist', [200, { items }])
  const request = { id: 3, status: 'accepted', professional_id: 7, ...more } as unknown as TaskRequest
  return show(RequestChecklist, { user: someone(role), props: { request } })
}
const boxes = () => [...document.querySelectorAll<HTMLButtonElement>('[role="checkbox"]')]

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
