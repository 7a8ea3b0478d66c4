import { describe, expect, it } from 'vitest'
import { nextTick, reactive } from 'vue'
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
    sessionStorage.setItem('doorstep-draft:a', '{nonsense')
    sessionStorage.setItem('doorstep-draft:b', '{"gone":1,"name":"Asha"}')
    const [a, b] = [reactive({ name: 'kept' }), reactive({ name: '' })]
    useDraft('a', a)
    useDraft('b', b)
    expect([a, b]).toEqual([{ name: 'kept' }, { name: 'Asha' }])
  })
})
