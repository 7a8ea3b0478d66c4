import { describe, expect, it } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import UserPicker from './UserPicker.vue'

async function picker(first?: number) {
  const [id, unresolved] = [ref<number | undefined>(first), ref(false)]
  const page = defineComponent({
    render: () =>
      h(UserPicker, {
        kind: 'customer',
        modelValue: id.value,
        unresolved: unresolved.value,
        'onUpdate:modelValue': (next: number | undefined) => (id.value = next),
        'onUpdate:unresolved': (next: boolean) => (unresolved.value = next),
      }),
  })
  const { wrapper } = await show(page)
  const field = wrapper.find('input')
  return { wrapper, field, id, unresolved }
}

describe('UserPicker', () => {
  it('asks to choose a user when a name was only typed', async () => {
    answer('get', '/customers', [
      200,
      { items: [someone('customer', { id: 4, firstname: 'Asha', lastname: 'Rao' })], next_cursor: null },
    ])
    const { wrapper, field, id, unresolved } = await picker()
    await field.trigger('focus')
    await field.setValue('Asha')
    expect([id.value, unresolved.value]).toEqual([undefined, true])
    await until(() => wrapper.find('[role="option"]').exists(), 'the options')
    await wrapper.find('[role="option"]').trigger('click')
    expect([id.value, unresolved.value, field.element.value]).toEqual([4, false, 'Asha Rao'])
    await field.setValue('Asha R')
    expect([id.value, unresolved.value]).toEqual([undefined, true])
    await field.setValue('')
    expect([id.value, unresolved.value]).toEqual([undefined, false])
  })

  it('shows the name of the user in the URL, also when it changes', async () => {
    answer('get', '/customers/4', [200, { firstname: 'Asha', lastname: 'Rao' }])
    answer('get', '/customers/5', [200, { firstname: 'Geetha', lastname: 'Nair' }])
    const { field, id, unresolved } = await picker(4)
    await until(() => field.element.value === 'Asha Rao', 'the first name')
    id.value = 5
    await until(() => field.element.value === 'Geetha Nair', 'the second name')
    expect(unresolved.value).toBe(false)
    id.value = undefined
    await until(() => field.element.value === '', 'nobody')
  })
})
