import { describe, expect, it } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { show } from '@/shared/testing/mount'
import FileDrop from './FileDrop.vue'

async function drop() {
  const file = ref<File | null>(null)
  const page = defineComponent({ render: () => h(FileDrop, { modelValue: file.value, 'onUpdate:modelValue': (next: File | null) => (file.value = next) }) })
  const { wrapper } = await show(page)
  const choose = async (chosen: File) => {
    const input = wrapper.find('input')
    Object.defineProperty(input.element, 'files', { value: [chosen], configurable: true })
    await input.trigger('change')
  }
  return { wrapper, file, choose }
}

describe('FileDrop', () => {
  it('takes a PDF and says its name', async () => {
    const { wrapper, file, choose } = await drop()
    await choose(new File(['%PDF-1.7'], 'licence.pdf', { type: 'application/pdf' }))
    expect(file.value?.name).toBe('licence.pdf')
    expect(wrapper.text()).toContain('licence.pdf')
  })

  it.each([
    [new File(['x'], 'run.exe', { type: 'application/x-msdownload' }), 'This kind of file'],
    [new File([new Uint8Array(5 * 1024 * 1024 + 1)], 'big.png', { type: 'image/png' }), 'larger than 5 MB'],
    [new File([], 'empty.png', { type: 'image/png' }), 'empty'],
  ])('refuses %s before it is sent', async (bad, words) => {
    const { wrapper, file, choose } = await drop()
    await choose(bad)
    expect(file.value).toBeNull()
    expect(wrapper.find('[role="alert"]').text()).toContain(words)
  })
})
