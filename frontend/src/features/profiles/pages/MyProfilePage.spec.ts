import { describe, expect, it } from 'vitest'
import texts from '@/locales/en/profiles.json'
import { show, someone, until } from '@/shared/testing/mount'
import { confirm, fill, link, press, problemOf, says, sees, submit } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import MyProfilePage from './MyProfilePage.vue'

const mine = texts.mine
const profile = {
  id: 7,
  firstname: 'Ravi',
  compname: 'Rao and Sons',
  exp: 7,
  about: 'Pipes and taps.',
  photo_url: null,
  tasks: [],
  rating: null,
  rating_counts: { '1': 0, '2': 0, '3': 0, '4': 0, '5': 0 },
  reviews: 0,
  tasks_done: 0,
  verified_until: null,
  member_since: '2025-06-01T10:00:00+05:30',
  response_time: null,
  service_area: '',
  isactive: 1,
  photo: null,
}
const photo = (more: object) => ({
  id: 4,
  state: 'pending',
  reason: null,
  created_at: '2026-11-01T10:00:00+05:30',
  decided_at: null,
  ...more,
})
async function open(...states: object[]) {
  answer('get', '/me/profile', ...states.map((more) => [200, { ...profile, ...more }] as [number, object]))
  answer('get', '/me/profile/photo', [200, {}])
  await show(MyProfilePage, { user: someone('professional', { approval: 'approved' }) })
  await sees(mine.photoHint)
}

describe('MyProfilePage', () => {
  it('saves the text and leads to the page as others see it', async () => {
    await open({})
    const saved = answer('patch', '/me/profile', [200, { ...profile, about: 'Also at night.' }])
    expect(link(mine.view)?.getAttribute('href')).toBe('/professionals/7')
    fill(mine.about, 'Also at night.')
    await submit()
    await sees(mine.saved)
    expect(saved[0]?.body).toEqual({ about: 'Also at night.' })
  })

  it('shows at the field that contact details do not belong there', async () => {
    await open({})
    answer('patch', '/me/profile', [
      422,
      {
        type: 'about:blank',
        status: 422,
        code: 'contact_details',
        title: 'Validation failed',
        detail: 'x',
        errors: { about: ['Remove phone numbers.'] },
      },
    ])
    fill(mine.about, 'Call 98765 43210')
    await submit()
    await until(() => Boolean(problemOf(mine.about)), 'what is wrong')
    expect(problemOf(mine.about)).toContain('Remove phone numbers')
  })

  it.each([
    [{ photo: photo({}) }, [mine.states.pending, mine.pendingHint]],
    [{ photo: photo({}), photo_url: '/profiles/7/photo/ab' }, [mine.states.pending, mine.pendingBefore]],
    [{ photo: photo({ state: 'approved' }), photo_url: '/profiles/7/photo/ab' }, [mine.shown]],
    [{ photo: photo({ state: 'rejected', reason: 'Too dark' }) }, [mine.states.rejected, 'Too dark']],
    [{ isactive: 0 }, [mine.notPublic]],
  ])('tells where the photo stands: %j', async (more, words) => {
    await open(more)
    expect(words.filter((one) => !says(one))).toEqual([])
  })

  it('deletes the photo after asking', async () => {
    await open({ photo: photo({ state: 'approved' }) }, { photo: null })
    const deleted = answer('delete', '/me/profile/photo', [204])
    await press(mine.delete)
    await sees(mine.deleteFollows)
    await confirm(mine.delete)
    await until(() => deleted.length === 1, 'the call')
    await sees(mine.deleted)
  })
})
