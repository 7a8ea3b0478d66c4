import { describe, expect, it } from 'vitest'
import errors from '@/locales/en/errors.json'
import tasks from '@/locales/en/tasks.json'
import { show, someone, until } from '@/shared/testing/mount'
import { fill, link, press, queryOf, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import TaskPage from './TaskPage.vue'

const texts = tasks.page
const task = {
  id: 3,
  name: 'Tap repair',
  description: 'Dripping taps and leaking pipes',
  category: 'Plumbing',
  base_price: '499.00',
  currency: 'INR',
  time_required: 60,
  isactive: 1,
  rating: null,
  reviews: 0,
  professionals: 2,
  picture: null,
}
const ravi = {
  id: 9,
  firstname: 'Ravi',
  lastname: 'Rao',
  compname: 'Rao and Sons',
  exp: 5,
  rating: 4.5,
  reviews: 8,
  distance_km: 2.4,
  photo_url: null,
}
const customer = someone('customer', { pincode: '560025' })

async function page(path: string, user: typeof customer | undefined, more: object = {}, people = [ravi]) {
  answer('get', '/places', [200, { items: [] }])
  answer('get', '/tasks/3', [200, { ...task, ...more }])
  const asked = answer('get', '/tasks/3/professionals', [200, { items: people, next_cursor: null }])
  await show(TaskPage, { path, route: '/tasks/:id', user })
  await sees(task.description)
  return asked
}
const ask = (name: string) => link(name)?.getAttribute('href')

describe('TaskPage', () => {
  it('shows who could come to the place of the link, and asks them there', async () => {
    const asked = await page('/tasks/3?pincode=560001', customer)
    await sees('Rao and Sons')
    expect(queryOf(asked[0])).toEqual({ pincode: '560001' })
    expect(ask(texts.ask)).toBe('/tasks/3/ask?pincode=560001')
    expect(ask(texts.askPerson.replace('{name}', 'Ravi'))).toBe('/tasks/3/ask?pincode=560001&professional=9')
    expect(ask('Ravi')).toBe('/professionals/9?pincode=560001')
  })

  it('begins at the customer’s own place, and asks again once another one is whole', async () => {
    const asked = await page('/tasks/3', customer)
    await until(() => asked.length === 1, 'the first call')
    const place = document.querySelector<HTMLInputElement>('[role="combobox"]')
    expect(place?.value).toBe('560025')
    fill(texts.where, '5600')
    await until(() => ask(texts.ask) === '/tasks/3/ask', 'no place')
    fill(texts.where, '560102')
    await until(() => queryOf(asked.at(-1)).pincode === '560102', 'the new place')
    expect(asked.map((one) => queryOf(one).pincode)).not.toContain('5600')
  })

  it('says that nobody serves a place, and still lets the customer ask', async () => {
    await page('/tasks/3?pincode=560001', customer, {}, [])
    await sees(texts.nobody)
    expect(ask(texts.ask)).toBe('/tasks/3/ask?pincode=560001')
  })

  it('tells visitors how many there are, and leads back here after the sign-in', async () => {
    const asked = await page('/tasks/3?pincode=560001', undefined)
    expect(says('2 professionals for this task.')).toBe(true)
    expect(link(texts.signInToSee)?.getAttribute('href')).toBe('/sign-in?next=/tasks/3?pincode=560001')
    expect(ask(texts.ask)).toBeDefined()
    expect(asked).toEqual([])
  })

  it('lets nobody ask for a task that is turned off', async () => {
    await page('/tasks/3', customer, { isactive: 0 })
    await sees(texts.off)
    await sees('Rao and Sons')
    expect(ask(texts.ask)).toBeUndefined()
    expect(ask(texts.askPerson.replace('{name}', 'Ravi'))).toBeUndefined()
  })

  it('shows professionals no one else and no way to ask', async () => {
    const asked = await page('/tasks/3', someone('professional'))
    expect(ask(texts.ask)).toBeUndefined()
    expect(asked).toEqual([])
  })

  it('says so where there is no such task, and reads one again that could not be read', async () => {
    answer('get', '/tasks/3', [500], [200, task])
    await show(TaskPage, { path: '/tasks/3', route: '/tasks/:id' })
    await sees(errors.status_500)
    expect(says(texts.people)).toBe(false)
    await press('Try again')
    await sees(task.description)
  })
})
