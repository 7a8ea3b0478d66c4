import { describe, expect, it } from 'vitest'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import ApprovalsPage from './ApprovalsPage.vue'

const waiting = (id: number, firstname: string) => ({
  ...someone('professional'),
  id,
  firstname,
  compname: 'Works',
  exp: 3,
  task_ids: [],
  approval: 'pending',
  document: { id: id + 100, filename: 'proof.pdf', pages: 1 },
})
const everyone = [waiting(21, 'Ravi'), waiting(22, 'Meera'), waiting(23, 'Anil')]
const press = (key: string) =>
  (document.activeElement ?? document.body).dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }),
  )
const shown = () => document.querySelector('section h2')?.textContent
const button = (text: string) =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === text)

const settled = () =>
  until(() => button('Approve')?.getAttribute('aria-disabled') === 'false', 'the moment to look')

function around(...lists: object[][]) {
  answer(
    'get',
    '/professionals',
    ...lists.map((items) => [200, { items, next_cursor: null }] as [number, object]),
  )
  answer('get', '/professionals/:id/document', [200, {}])
  answer('get', '/tasks', [200, { items: [], next_cursor: null }])
  answer('get', '/profile_photos', [200, { items: [], next_cursor: null }])
  answer('get', '/stats', [200, { approvals: { waiting: 3 } }])
}

describe('ApprovalsPage', () => {
  it('moves through the queue by keyboard and shows the next document at once', async () => {
    around(everyone, everyone.slice(1))
    const approved = answer('post', '/professionals/:id/approve', [200, {}])
    await show(ApprovalsPage, { user: someone('admin') })
    await until(() => shown() === 'Ravi Rao', 'the first')
    press('j')
    await until(() => shown() === 'Meera Rao', 'the second')
    press('k')
    await until(() => shown() === 'Ravi Rao', 'the first again')
    await settled()
    press('a')
    await until(() => shown() === 'Meera Rao', 'the next')
    await until(() => approved.length === 1, 'the call')
    expect(approved[0]?.url.pathname).toBe('/professionals/21/approve')
    expect(approved[0]?.body).toEqual({ document_id: 121 })
  })

  it.each([
    ['a key pressed twice', () => press('a')],
    ['a double click', () => button('Approve')?.click()],
    ['a key after a click', () => press('r')],
  ])('decides about nobody unseen: %s', async (_, again) => {
    around(everyone, everyone.slice(1))
    const approved = answer('post', '/professionals/:id/approve', [200, {}])
    await show(ApprovalsPage, { user: someone('admin') })
    await until(() => shown() === 'Ravi Rao', 'the first')
    again()
    await settled()
    button('Approve')?.click()
    again()
    await until(() => shown() === 'Meera Rao', 'the next')
    again()
    await until(() => approved.length === 1, 'the call')
    again()
    await settled()
    expect(approved.map((one) => one.url.pathname)).toEqual(['/professionals/21/approve'])
    expect(document.querySelector('[role="dialog"]')).toBeNull()
    button('Approve')?.click()
    await until(() => approved.length === 2, 'the next call')
    expect(approved[1]?.url.pathname).toBe('/professionals/22/approve')
  })

  it('reports a replaced document and shows the new one', async () => {
    const again = { ...waiting(21, 'Ravi'), document: { id: 500, filename: 'new.pdf', pages: 1 } }
    around(everyone, [again, ...everyone.slice(1)])
    const approved = answer(
      'post',
      '/professionals/:id/approve',
      [409, { code: 'document_replaced' }],
      [200, {}],
    )
    await show(ApprovalsPage, { user: someone('admin') })
    await until(() => shown() === 'Ravi Rao', 'the first')
    await settled()
    button('Approve')?.click()
    await until(
      () =>
        document
          .querySelector('section [role="status"]')
          ?.textContent?.includes('The document was replaced. Review it again.') === true,
      'the word',
    )
    expect(shown()).toBe('Ravi Rao')
    expect(document.querySelector('figcaption')?.textContent).toContain('new.pdf')
    await settled()
    button('Approve')?.click()
    await until(() => approved.length === 2, 'the second call')
    expect(approved[1]?.body).toEqual({ document_id: 500 })
  })

  it('shows a professional again if the decision failed', async () => {
    around(everyone)
    answer('post', '/professionals/:id/approve', [409, { code: 'document_missing' }])
    await show(ApprovalsPage, { user: someone('admin') })
    await until(() => shown() === 'Ravi Rao', 'the first')
    await settled()
    button('Approve')?.click()
    await until(
      () => document.body.textContent?.includes('No document has been uploaded yet.') === true,
      'the word',
    )
    expect(shown()).toBe('Ravi Rao')
  })

  it('rejects with a suggested reason, and ignores shortcuts while the dialog is open', async () => {
    around(everyone, everyone.slice(1))
    const rejected = answer('post', '/professionals/:id/reject', [200, {}])
    await show(ApprovalsPage, { user: someone('admin') })
    await until(() => shown() === 'Ravi Rao', 'the first')
    await settled()
    press('r')
    await until(() => Boolean(document.querySelector('[role="dialog"] textarea')), 'the question')
    press('j')
    button('The document is no longer valid.')?.click()
    await until(
      () => document.querySelector<HTMLTextAreaElement>('[role="dialog"] textarea')?.value !== '',
      'the words',
    )
    const dialog = document.querySelector('[role="dialog"]')
    ;[...(dialog?.querySelectorAll('button') ?? [])]
      .find((one) => one.textContent?.trim() === 'Reject')
      ?.click()
    await until(() => rejected.length === 1, 'the call')
    expect(rejected[0]?.url.pathname).toBe('/professionals/21/reject')
    expect(rejected[0]?.body).toEqual({ reason: 'The document is no longer valid.', document_id: 121 })
  })
})
