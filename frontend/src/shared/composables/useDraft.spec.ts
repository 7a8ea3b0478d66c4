import { describe, expect, it, vi } from 'vitest'
import { nextTick, reactive } from 'vue'
import { actAs } from '@/shared/api/identity'
import { dropDrafts } from '@/shared/session/kept'
import { useDraft } from './useDraft'

describe('useDraft', () => {
  it('brings back what was typed, but never what is left out', async () => {
    const typed = reactive({ name: '', password: '' })
    useDraft('sign-up', typed, ['password'])
    Object.assign(typed, { name: 'Asha', password: 'secret words' })
    await nextTick()
    expect(JSON.stringify(sessionStorage)).not.toContain('secret')
    const later = reactive({ name: '', password: '' })
    useDraft('sign-up', later, ['password'])
    expect(later).toEqual({ name: 'Asha', password: '' })
  })

  it('forgets when it has arrived', async () => {
    const typed = reactive({ name: '' })
    const draft = useDraft('x', typed)
    typed.name = 'Asha'
    await nextTick()
    draft.discard()
    typed.name = 'B'
    await nextTick()
    expect(sessionStorage.length).toBe(0)
  })

  it('shrugs at what is broken or from an older form', () => {
    sessionStorage.setItem('doorstep-draft:visitor:a', '{nonsense')
    sessionStorage.setItem('doorstep-draft:visitor:b', '{"gone":1,"name":"Asha"}')
    const [a, b] = [reactive({ name: 'kept' }), reactive({ name: '' })]
    useDraft('a', a)
    useDraft('b', b)
    expect([a, b]).toEqual([{ name: 'kept' }, { name: 'Asha' }])
  })

  it('belongs to the account that typed it', async () => {
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

  it('is not brought back by what the page still does after signing out', async () => {
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

  it('does without where the browser keeps nothing', async () => {
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
