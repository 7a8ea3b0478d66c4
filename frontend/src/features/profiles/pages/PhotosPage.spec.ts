import { describe, expect, it } from 'vitest'
import errors from '@/locales/en/errors.json'
import texts from '@/locales/en/profiles.json'
import { show, someone, until } from '@/shared/testing/mount'
import { confirm, fill, press, queryOf, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import PhotosPage from './PhotosPage.vue'

const photos = texts.photos
const photo = (id: number, firstname: string, more: object = {}) => ({
  id,
  professional_id: id + 100,
  firstname,
  lastname: 'Rao',
  compname: 'Works',
  state: 'pending',
  reason: null,
  created_at: '2026-11-01T10:00:00+05:30',
  decided_at: null,
  ...more,
})
async function open(path: string, ...lists: object[][]) {
  const asked = answer(
    'get',
    '/profile_photos',
    ...lists.map((items) => [200, { items, next_cursor: null }] as [number, object]),
  )
  answer('get', '/profile_photos/:id', [200, {}])
  await show(PhotosPage, { user: someone('admin'), path, route: '/admin/approvals/photos' })
  return asked
}
const path = '/admin/approvals/photos'

describe('PhotosPage', () => {
  it('approves a photo, which then leaves the queue', async () => {
    await open(path, [photo(4, 'Ravi')], [])
    const approved = answer('post', '/profile_photos/4/approve', [200, photo(4, 'Ravi')])
    await sees('Ravi Rao')
    await press(photos.approve)
    await sees(photos.none.pending)
    expect(approved).toHaveLength(1)
  })

  it('rejects a photo with a reason', async () => {
    await open(path, [photo(4, 'Ravi')], [])
    const rejected = answer('post', '/profile_photos/4/reject', [200, photo(4, 'Ravi')])
    await sees('Ravi Rao')
    await press(photos.reject)
    await sees(photos.rejectFollows)
    fill(photos.reason, 'Too dark to see you')
    await confirm(photos.reject)
    await until(() => rejected.length === 1, 'the call')
    expect(rejected[0]?.body).toEqual({ reason: 'Too dark to see you' })
  })

  it('says that a photo was replaced, and shows the new one', async () => {
    await open(path, [photo(4, 'Ravi')], [photo(5, 'Ravi')])
    answer('post', '/profile_photos/4/approve', [
      409,
      { type: 'about:blank', status: 409, code: 'photo_replaced', title: 'Conflict', detail: 'x' },
    ])
    const next = answer('post', '/profile_photos/5/approve', [200, photo(5, 'Ravi')])
    await sees('Ravi Rao')
    await press(photos.approve)
    await sees(errors.photo_replaced)
    await press(photos.approve)
    await until(() => next.length === 1, 'the decision on the new one')
  })

  it('lists those that were decided on, to take one down', async () => {
    const asked = await open(`${path}?state=approved`, [photo(4, 'Ravi', { state: 'approved' })])
    await sees(photos.takeDown)
    expect(queryOf(asked[0])).toEqual({ state: 'approved' })
    expect(says(photos.approve)).toBe(false)
  })
})
