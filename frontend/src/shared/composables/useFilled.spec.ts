import { describe, expect, it } from 'vitest'
import { nextTick, reactive, ref } from 'vue'
import { useFilled } from './useFilled'

interface Form {
  name: string
  draft: string
}

function form() {
  const stored = ref<{ name: string }>()
  const state = reactive<Form>({ name: '', draft: '' })
  const { ready, filled } = useFilled(
    state,
    () => stored.value,
    ({ name }) => ({ name }),
  )
  const read = async (name: string) => {
    stored.value = { name }
    await nextTick()
  }
  return { state, ready, filled, read }
}

describe('a form filled from what is stored', () => {
  it('waits for it, and follows what changes elsewhere', async () => {
    const { state, ready, read } = form()
    expect(ready.value).toBe(false)
    await read('Asha')
    expect([ready.value, state.name]).toEqual([true, 'Asha'])
    await read('Asha Rao')
    expect(state.name).toBe('Asha Rao')
  })

  it('keeps what is being entered', async () => {
    const { state, read } = form()
    await read('Asha')
    state.draft = 'unfinished'
    await read('Asha Rao')
    expect(state).toEqual({ name: 'Asha', draft: 'unfinished' })
  })

  it('follows again once what was entered is stored', async () => {
    const { state, filled, read } = form()
    await read('Asha')
    state.name = 'Asha Rao'
    await read('Asha Rao')
    expect(filled.value).toBe(JSON.stringify(state))
    await read('A. Rao')
    expect(state.name).toBe('A. Rao')
  })
})
