import { describe, expect, it } from 'vitest'
import errors from '@/locales/en/errors.json'
import synonyms from '@/locales/en/synonyms.json'
import { show, someone, until } from '@/shared/testing/mount'
import { confirm, field, fill, press, problemOf, sees, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import SynonymsPage from './SynonymsPage.vue'

const group = { id: 4, phrases: ['ac repair', 'air conditioner'] }
const formOpen = () => document.querySelector('[role="dialog"] form') !== null
const edit = synonyms.editNamed.replace('{name}', 'ac repair')
const remove = synonyms.removeNamed.replace('{name}', 'ac repair')

async function page(items: object[] = [group], path = '/admin/tasks/synonyms') {
  answer('get', '/synonyms', [200, { items, next_cursor: null } as never])
  return show(SynonymsPage, { user: someone('admin'), path })
}

describe('SynonymsPage', () => {
  it('offers to add the first ones, one phrase a line', async () => {
    const made = answer('post', '/synonyms', [201, group])
    const { router } = await page([])
    await sees(synonyms.none)
    await press(synonyms.add)
    await until(formOpen, 'the form')
    fill(synonyms.phrases, ' ac repair \n\nair  conditioner\nAC Repair')
    await submit()
    await sees(synonyms.saved)
    expect(made.map(({ body }) => body)).toEqual([{ phrases: ['ac repair', 'air conditioner'] }])
    await until(() => router.currentRoute.value.query.edit === undefined, 'the end of the form')
  })

  it('refuses a single phrase', async () => {
    const made = answer('post', '/synonyms', [201, group])
    await page([], '/admin/tasks/synonyms?edit=new')
    await until(formOpen, 'the form')
    fill(synonyms.phrases, 'plumber\nPLUMBER')
    await submit()
    await until(() => problemOf(synonyms.phrases) !== undefined, 'the word')
    expect(made).toEqual([])
  })

  it('names the version that was read when it saves, and keeps what was typed when another one was first', async () => {
    answer('get', '/synonyms/4', [200, group, { etag: '"v1"' }])
    const saved = answer('put', '/synonyms/4', [412, { code: 'stale' }])
    await page()
    await press(edit)
    await until(formOpen, 'the form')
    expect(field(synonyms.phrases).value).toBe('ac repair\nair conditioner')
    fill(synonyms.phrases, 'ac repair\ncooling')
    await submit()
    await sees(errors.stale)
    expect(saved[0]?.headers.get('if-match')).toBe('"v1"')
    expect(saved[0]?.body).toEqual({ phrases: ['ac repair', 'cooling'] })
    expect(field(synonyms.phrases).value).toBe('ac repair\ncooling')
  })

  it('closes the form of a group that is gone, and says so', async () => {
    answer('get', '/synonyms/4', [404, { code: 'not_found' }])
    const { router } = await page([group], '/admin/tasks/synonyms?edit=4')
    await until(() => router.currentRoute.value.query.edit === undefined, 'the end of the form')
    await sees(errors.status_404)
  })

  it('asks before it deletes', async () => {
    const deleted = answer('delete', '/synonyms/4', [204])
    await page()
    await press(remove)
    await sees(synonyms.removeFollows.replace('{phrases}', 'ac repair, air conditioner'))
    expect(deleted).toEqual([])
    await confirm(synonyms.remove)
    await sees(synonyms.removed)
    expect(deleted).toHaveLength(1)
  })
})
