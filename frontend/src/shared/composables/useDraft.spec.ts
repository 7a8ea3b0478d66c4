import { describe, expect, it, vi } from 'vitest'
import { nextTick, reactive } from 'vue'
import { actAs } from '@/shared/api/identity'
import { dropDrafts } from '@/shared/session/kept'
import { useDraft } from './useDraft'

describe('useDraft', () => {
  it('restores typed values except excluded fields', async () => {
    const typed = reactive({ name: '', password: '' })
    useDraft('sign-up', typed, ['password'])
    Object.assign(typed, { name: 'Asha', password: 'secret words' })
    await nextTick()
    expect(JSON.stringify(sessionStorage)).not.toContain('secret')
    const later = reactive({ name: '', password: '' })
    useDraft('sign-up', later, ['password'])
    expect(later).toEqual({ name: 'Asha', password: '' })
  })

  it('removes the draft after a successful submit', async () => {
    const typed = reactive({ name: '' })
    const draft = useDraft('x', typed)
    typed.name = 'Asha'
    await nextTick()
    draft.discard()
    typed.name = 'B'
    await nextTick()
    expect(sessionStorage.length).toBe(0)
  })

  it('ignores corrupt drafts and unknown fields of older ones', () => {
    sessionStorage.setItem('doorstep-draft:visitor:a', '{nonsense')
    sessionStorage.setItem('doorstep-draft:visitor:b', '{"gone":1,"name":"Asha"}')
    const [a, b] = [reactive({ name: 'kept' }), reactive({ name: '' })]
    useDraft('a', a)
    useDraft('b', b)
    expect([a, b]).toEqual([{ name: 'kept' }, { name: 'Asha' }])
  })

  it('restores drafts only for the account that typed them', async () => {
    actAs(7)
    const typed = reactive({ address: '' })
    useDraft('ask-3', typed)
    typed.address = '12 Residency Road'
    await nextTick()
    actAs(8)
    const others = reactive({ address: '' })
    expect(useDraft('ask-3', others).found).toBe(false)
    expect(others.address).toBe('')
    dropDrafts(7)
    actAs(7)
    const again = reactive({ address: '' })
    expect(useDraft('ask-3', again).found).toBe(true)
    expect(again.address).toBe('12 Residency Road')
  })

  it('ignores values of another kind than the form has now', async () => {
    const before = reactive({ name: 7, words: 'tap', id: 3, tags: ['a'] })
    useDraft('x', before)
    before.id = 4
    await nextTick()
    const now = reactive({ name: '', words: [] as string[], id: undefined, tags: [] as string[] })
    useDraft('x', now)
    expect(now).toEqual({ name: '', words: [], id: 4, tags: ['a'] })
  })

  it('is not saved again by the page after sign-out', async () => {
    actAs(7)
    const typed = reactive({ address: '' })
    useDraft('ask-3', typed)
    typed.address = '12 Residency Road'
    await nextTick()
    actAs(null)
    dropDrafts()
    typed.address = ''
    await nextTick()
    expect(sessionStorage.length).toBe(0)
  })

  it('works without browser storage', async () => {
    const blocked = vi.spyOn(window, 'sessionStorage', 'get').mockImplementation(() => {
      throw new DOMException('blocked', 'SecurityError')
    })
    const typed = reactive({ name: '' })
    const draft = useDraft('x', typed)
    typed.name = 'Asha'
    await nextTick()
    draft.discard()
    blocked.mockRestore()
    expect(typed.name).toBe('Asha')
  })
})
