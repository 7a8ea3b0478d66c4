import { describe, expect, it } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { show, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import PlaceInput from './PlaceInput.vue'

const places = [
  { pincode: '560001', locality: 'Bangalore G.P.O.', district: 'Bengaluru', state: 'Karnataka' },
  { pincode: '560025', locality: 'Museum Road', district: 'Bengaluru', state: 'Karnataka' },
]

async function field() {
  const pincode = ref('')
  const page = defineComponent({
    render: () =>
      h(PlaceInput, {
        label: 'Where',
        modelValue: pincode.value,
        'onUpdate:modelValue': (value: string) => (pincode.value = value),
      }),
  })
  const { wrapper } = await show(page)
  return { wrapper, input: wrapper.find('input'), pincode }
}

describe('PlaceInput', () => {
  it('suggests places and selects one by keyboard', async () => {
    const seen = answer('get', '/places', [200, { items: places, next_cursor: null }])
    const { wrapper, input, pincode } = await field()
    await input.trigger('focus')
    await input.setValue('beng')
    await until(() => wrapper.findAll('[role="option"]').length === 2, 'the options')
    expect(seen.at(-1)?.url.searchParams.get('q')).toBe('beng')
    expect(input.attributes('aria-expanded')).toBe('true')
    await input.trigger('keydown', { key: 'ArrowDown' })
    await input.trigger('keydown', { key: 'ArrowDown' })
    expect(input.attributes('aria-activedescendant')).toBe(
      wrapper.findAll('[role="option"]')[1]?.attributes('id'),
    )
    await input.trigger('keydown', { key: 'Enter' })
    expect(pincode.value).toBe('560025')
    expect(input.element.value).toBe('560025')
    expect(input.attributes('aria-expanded')).toBe('false')
  })

  it('selects the last suggestion by ArrowUp and closes by Escape', async () => {
    answer('get', '/places', [200, { items: places, next_cursor: null }])
    const { wrapper, input } = await field()
    await input.trigger('focus')
    await input.setValue('5600')
    await until(() => wrapper.findAll('[role="option"]').length === 2, 'the options')
    await input.trigger('keydown', { key: 'ArrowUp' })
    expect(wrapper.findAll('[aria-selected="true"]')[0]?.text()).toContain('Museum Road')
    await input.trigger('keydown', { key: 'Escape' })
    expect(input.attributes('aria-expanded')).toBe('false')
  })

  it('keeps a typed pincode and does not search for one letter', async () => {
    const seen = answer('get', '/places', [200, { items: [], next_cursor: null }])
    const { input, pincode } = await field()
    await input.trigger('focus')
    await input.setValue('5')
    await input.setValue('560025')
    expect(pincode.value).toBe('560025')
    await until(() => seen.length === 1, 'one question')
    expect(seen[0]?.url.searchParams.get('q')).toBe('560025')
  })
})
