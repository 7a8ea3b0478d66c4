import { beforeEach, describe, expect, it } from 'vitest'
import photoTexts from '@/locales/en/photos.json'
import errors from '@/locales/en/errors.json'
import type { TaskRequest } from '@/shared/api/types'
import { show, someone, until } from '@/shared/testing/mount'
import { alert, button, press, says, sees } from '@/shared/testing/screen'
import { answer } from '@/shared/testing/server'
import { grouped } from '../history'
import { fitted } from '../shrink'
import RequestPhotos from './RequestPhotos.vue'

const photo = (id: number, more: object = {}) => ({
  id,
  phase: 'problem',
  author_id: 7,
  author_role: 'customer',
  point: null,
  width: 640,
  height: 480,
  sha256: 'a'.repeat(64),
  created_at: '2026-11-20T10:00:00+05:30',
  ...more,
})
const jpeg = (name = 'tap.jpg') => new File(['\u00FF\u00D8\u00FF'], name, { type: 'image/jpeg' })
let nextRequest = 100

/** Shows the photos of a request of its own: what is on its way is kept beside the component. */
async function open(items: object[], phases: string[], role: 'customer' | 'professional' = 'customer') {
  nextRequest += 1
  answer('get', '/requests/:id/photos', [200, { items, phases, most: 12 }])
  answer('get', '/photos/:id', [200, {}])
  const request = { id: nextRequest } as unknown as TaskRequest
  return show(RequestPhotos, { user: someone(role), props: { request } })
}
async function choose(...files: File[]): Promise<void> {
  const input = document.querySelector<HTMLInputElement>('input[type=file][multiple]')
  Object.defineProperty(input, 'files', { value: files, configurable: true })
  input?.dispatchEvent(new Event('change', { bubbles: true }))
}

beforeEach(() => {
  document.body.innerHTML = ''
})

describe('RequestPhotos', () => {
  it('shows nothing where there is no photo and none can be added', async () => {
    const { wrapper } = await open([], [])
    await until(() => wrapper.find('section').exists() === false, 'nothing')
    expect(says(photoTexts.title)).toBe(false)
  })

  it('names each photo by its phase and place, and says beside the upload who sees it', async () => {
    await open([photo(1), photo(2)], ['problem'])
    await sees(photoTexts.privacy)
    await until(() => button('Open: Photo of the problem 1 of 2') !== undefined, 'the first photo')
    expect(button('Open: Photo of the problem 2 of 2')).toBeDefined()
    expect(button(photoTexts.addOf.problem)).toBeDefined()
  })

  it('offers the phases that the server names, and no others', async () => {
    await open([photo(1)], ['before', 'after'], 'professional')
    await sees(photoTexts.phases.before)
    expect(button(photoTexts.addOf.before)).toBeDefined()
    expect(button(photoTexts.addOf.after)).toBeDefined()
    expect(button(photoTexts.addOf.problem)).toBeUndefined()
    expect(says(photoTexts.privacy)).toBe(false)
  })

  it('keeps a photo that failed, and sends it again under the same key', async () => {
    await open([], ['problem'])
    await sees(photoTexts.hints.problem)
    const sent = answer(
      'post',
      '/requests/:id/photos',
      [503, { code: 'storage_unavailable' }],
      [201, photo(3)],
    )
    await choose(jpeg())
    await until(() => alert()?.includes(errors.storage_unavailable) === true, 'why it failed')
    await press(photoTexts.retry)
    await until(() => sent.length === 2, 'the second attempt')
    expect(sent[1]?.headers.get('Idempotency-Key')).toBe(sent[0]?.headers.get('Idempotency-Key'))
    await until(() => button(photoTexts.retry) === undefined, 'the end of the upload')
  })

  it('sends photos one after another, and drops one that is removed', async () => {
    await open([], ['problem'])
    await sees(photoTexts.hints.problem)
    const sent = answer('post', '/requests/:id/photos', [409, { code: 'photo_not_possible' }])
    await choose(jpeg('one.jpg'), jpeg('two.jpg'))
    await until(() => sent.length === 2 && says('2 photos were not sent.'), 'both failures')
    await press('Remove: one.jpg')
    await sees('One photo was not sent.')
  })

  it('takes no other files, and no more than twelve', async () => {
    const kept = Array.from({ length: 11 }, (_, index) => photo(index + 1))
    await open(kept, ['problem'])
    await until(() => document.querySelector('input[type=file]') !== null, 'the field')
    const input = document.querySelector<HTMLInputElement>('input[type=file]')
    Object.defineProperty(input, 'files', { value: [new File(['x'], 'a.pdf', { type: 'application/pdf' })] })
    input?.dispatchEvent(new Event('change', { bubbles: true }))
    await until(() => alert() === photoTexts.notPhotos, 'the refusal')
    expect(input?.multiple).toBe(false)
  })
})

describe('photos', () => {
  it('fit within 2,000 pixels, and are not enlarged', () => {
    expect(fitted(6000, 4000)).toEqual({ width: 2000, height: 1333 })
    expect(fitted(3000, 6000)).toEqual({ width: 1000, height: 2000 })
    expect(fitted(640, 480)).toEqual({ width: 640, height: 480 })
  })

  it('are one entry of the history where one user added them in a row', () => {
    const entry = (action: string, actor: number) => ({
      at: '2026-11-20T10:00:00+05:30',
      action,
      actor_id: actor,
      actor_role: 'customer',
      from: 'accepted',
      to: 'accepted',
      note: null,
      changes: null,
    })
    const history = [entry('create', 7), entry('add_photo', 7), entry('add_photo', 7), entry('add_photo', 9)]
    expect(grouped(history).map(({ action, photos }) => [action, photos])).toEqual([
      ['create', 0],
      ['add_photo', 2],
      ['add_photo', 1],
    ])
  })
})
