import { describe, expect, it } from 'vitest'
import errors from '@/locales/en/errors.json'
import tasks from '@/locales/en/tasks.json'
import { show, someone, until } from '@/shared/testing/mount'
import { button, confirm, field, fill, press, queryOf, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import AdminTasksPage from './AdminTasksPage.vue'

const texts = tasks.admin
const plumbing = {
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
  search_words: [],
  archived_at: null,
}
const named = (text: string) => text.replace('{name}', 'Plumbing')
const none = {
  answer_within_minutes: null,
  min_notice_minutes: null,
  free_cancel_minutes: null,
  travel_buffer_minutes: null,
}

async function page(items: object[] = [plumbing], path = '/admin/tasks') {
  const asked = answer('get', '/tasks', [200, { items, next_cursor: null } as never])
  answer('get', '/settings', [200, {}])
  const { router } = await show(AdminTasksPage, { user: someone('admin'), path })
  await until(() => asked.length > 0, 'the call')
  return { asked, router }
}

describe('AdminTasksPage', () => {
  it('looks for what was typed, once it is typed', async () => {
    const { asked } = await page()
    fill(texts.find, 'p')
    fill(texts.find, ' plumb ')
    await until(() => queryOf(asked.at(-1)).q === 'plumb', 'the call')
    expect(asked.map((one) => queryOf(one).q)).toEqual([undefined, 'plumb'])
  })

  it('tells that nothing was found from that there is nothing, which offers the first one', async () => {
    const { router } = await page([])
    await sees(texts.none)
    fill(texts.find, 'roof')
    await sees(texts.noneFound)
    expect(says(texts.noneHint)).toBe(false)
    fill(texts.find, '')
    await sees(texts.noneHint)
    await press(texts.add)
    await until(() => router.currentRoute.value.query.edit === 'new', 'the form')
    await until(() => document.querySelector('[role="dialog"] form') !== null, 'the form')
  })

  it('turns a task off', async () => {
    const edits = answer('patch', '/tasks/5', [200, { ...plumbing, isactive: 0 }])
    await page()
    await press(named(texts.offNamed))
    await sees(named(texts.switchedOff))
    expect(edits.map(({ body }) => body)).toEqual([{ isactive: false }])
  })

  it('turns a draft on', async () => {
    const edits = answer('patch', '/tasks/5', [200, plumbing])
    await page([{ ...plumbing, isactive: 0 }])
    await press(named(texts.onNamed))
    await sees(named(texts.switchedOn))
    expect(edits.map(({ body }) => body)).toEqual([{ isactive: true }])
  })

  it('asks before it deletes, and says why it could not be done', async () => {
    const deleted = answer('delete', '/tasks/5', [503, { code: 'unavailable' }], [204])
    await page()
    await press(named(texts.removeNamed))
    await sees(named(texts.removeTitle))
    expect(deleted).toEqual([])
    await confirm(texts.remove)
    await sees(errors.unavailable)
    await press(named(texts.removeNamed))
    await confirm(texts.remove)
    await sees(named(texts.removed))
    expect(deleted).toHaveLength(2)
  })

  it('offers nothing to do with an archived task', async () => {
    await page([{ ...plumbing, archived_at: '2026-11-01T10:00:00Z' }])
    await sees(texts.archivedHint)
    expect([texts.editNamed, texts.offNamed, texts.removeNamed].map((text) => button(named(text)))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('opens the task of the address, and keeps what was typed over another admin’s change', async () => {
    answer(
      'get',
      '/tasks/5',
      [200, plumbing, { etag: '"v1"' }],
      [200, { ...plumbing, base_price: '549.00' }, { etag: '"v2"' }],
    )
    answer('get', '/tasks/5/policy', [200, { own: none }])
    const edits = answer('patch', '/tasks/5', [412, { code: 'stale' }], [200, plumbing])
    const { router } = await page([plumbing], '/admin/tasks?edit=5')
    await until(() => document.querySelector('[role="dialog"] form') !== null, 'the form')
    fill('Name', 'Plumbing and more')
    await press('Save')
    await sees(tasks.form.stale)
    expect(field('Name').value).toBe('Plumbing and more')
    await press('Save')
    await until(() => router.currentRoute.value.query.edit === undefined, 'its end')
    expect(edits.map(({ headers }) => headers.get('if-match'))).toEqual(['"v1"', '"v2"'])
    expect(edits.at(-1)?.body).toEqual({ name: 'Plumbing and more' })
  })
})
