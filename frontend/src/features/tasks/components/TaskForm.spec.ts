import { describe, expect, it } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import TaskForm from './TaskForm.vue'

const none = {
  answer_within_minutes: null,
  min_notice_minutes: null,
  free_cancel_minutes: null,
  travel_buffer_minutes: null,
  start_code: null,
}
const market = {
  answer_within_minutes: 60,
  min_notice_minutes: 0,
  free_cancel_minutes: 120,
  travel_buffer_minutes: 15,
  start_code: 'off',
}
const task = {
  id: 5,
  name: 'Plumbing',
  description: 'Taps and pipes',
  category: 'Repairs',
  base_price: '499.00',
  pricing: 'fixed',
  currency: 'INR',
  time_required: 60,
  isactive: 1,
  rating: null,
  reviews: 0,
  professionals: 3,
  picture: null,
  search_words: ['leak'],
  archived_at: null,
}

function around() {
  answer('get', '/tasks', [200, { items: [task], next_cursor: null }])
  answer('get', '/settings', [
    200,
    {
      ...market,
      tell_nearest: 5,
      reminder_at: '18:00',
      day_begins_at: '09:00',
      day_ends_at: '19:00',
      timezone: 'Asia/Kolkata',
      currency: 'INR',
    },
  ])
  answer('get', '/tasks/5/policy', [200, { ...market, own: none }])
}
const field = (name: string) => document.querySelector<HTMLInputElement>(`[name="${name}"]`)
function type(name: string, text: string): void {
  const input = field(name)
  if (!input) throw new Error(`no field ${name}`)
  input.value = text
  input.dispatchEvent(new Event('input', { bubbles: true }))
}
const save = () =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === 'Save')?.click()
const tag = (version: number) => ({ etag: `"v${version}"` })

describe('TaskForm', () => {
  it("sends the picture and the rules that differ from the marketplace's settings", async () => {
    around()
    answer('get', '/tasks/5', [200, task, tag(1)])
    const edits = answer('patch', '/tasks/5', [200, { ...task, picture: 'plumbing' }, tag(2)])
    const rules = answer('put', '/tasks/5/policy', [200, { ...market, own: none }])
    await show(TaskForm, { props: { id: 5 }, user: someone('admin') })
    await until(() => field('travel_buffer_minutes')?.placeholder === 'Default: 15', 'the placeholder')
    document.querySelector<HTMLInputElement>('input[type="radio"][value="plumbing"]')?.click()
    type('travel_buffer_minutes', '30')
    save()
    await until(() => rules.length === 1, 'both calls')
    expect(edits[0]?.body).toEqual({ picture: 'plumbing' })
    expect(edits[0]?.headers.get('if-match')).toBe('"v1"')
    expect(rules[0]?.body).toEqual({ ...none, travel_buffer_minutes: 30 })
  })

  it("shows another admin's changes, keeps typed values, and offers a choice", async () => {
    around()
    answer(
      'get',
      '/tasks/5',
      [200, task, tag(1)],
      [200, { ...task, base_price: '549.00', description: 'Taps, pipes and drains' }, tag(2)],
    )
    const edits = answer('patch', '/tasks/5', [412, { code: 'stale' }], [200, task, tag(3)])
    await show(TaskForm, { props: { id: 5 }, user: someone('admin') })
    await until(() => field('base_price')?.value === '499.00', 'the form')
    type('base_price', '599.00')
    save()
    await until(() => document.body.textContent?.includes('549.00') === true, 'their price')
    expect(field('base_price')?.value).toBe('599.00')
    expect(field('description')?.value).toBe('Taps, pipes and drains')
    save()
    await until(() => edits.length === 2, 'the second try')
    expect(edits[1]?.body).toEqual({ base_price: '599.00' })
    expect(edits[1]?.headers.get('if-match')).toBe('"v2"')
  })
})
