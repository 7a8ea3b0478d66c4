import { expect, it } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { show } from '@/shared/testing/mount'
import DateFilter from './DateFilter.vue'

it('applies a date when its year is complete, and clears it only on blur', async () => {
  const taken: (string | undefined)[] = []
  const day = ref<string | undefined>()
  const page = defineComponent({
    render: () =>
      h(DateFilter, {
        label: 'From',
        modelValue: day.value,
        'onUpdate:modelValue': (next: string | undefined) => {
          taken.push(next)
          day.value = next
        },
      }),
  })
  const { wrapper } = await show(page)
  const field = wrapper.find('input')
  const type = async (value: string) => {
    field.element.value = value
    await field.trigger('input')
    await field.trigger('change')
  }
  for (const value of ['0002-11-05', '0020-11-05', '0202-11-05', '2026-11-05']) await type(value)
  expect(taken).toEqual(['2026-11-05'])
  await type('')
  expect(taken).toHaveLength(1)
  await field.trigger('blur')
  expect(taken).toEqual(['2026-11-05', undefined])
})
