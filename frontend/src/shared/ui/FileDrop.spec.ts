import { afterEach, describe, expect, it } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import common from '@/locales/en/common.json'
import { appStatus } from '@/shared/lib/appStatus'
import { show, until } from '@/shared/testing/mount'
import FileDrop from './FileDrop.vue'

async function drop(more: { busy?: boolean; progress?: number } = {}) {
  const file = ref<File | null>(null)
  const page = defineComponent({
    render: () =>
      h(FileDrop, {
        ...more,
        modelValue: file.value,
        'onUpdate:modelValue': (next: File | null) => (file.value = next),
      }),
  })
  const { wrapper } = await show(page)
  const choose = async (chosen: File) => {
    const input = wrapper.find('input')
    Object.defineProperty(input.element, 'files', { value: [chosen], configurable: true })
    await input.trigger('change')
  }
  return { wrapper, file, choose }
}

const offline = common.file.offline.split('{')[0] ?? ''
afterEach(() => {
  appStatus.online = true
})

describe('FileDrop', () => {
  it('accepts a PDF and shows its name and size', async () => {
    const { wrapper, file, choose } = await drop()
    await choose(new File(['%PDF-1.7', 'x'.repeat(2_000)], 'licence.pdf', { type: 'application/pdf' }))
    await until(() => file.value !== null, 'the file')
    expect(file.value?.name).toBe('licence.pdf')
    await until(() => wrapper.text().includes('licence.pdf'), 'the name')
    expect(wrapper.text()).toMatch(/2\s?kB/)
  })

  it.each([
    ['a PDF', new File(['%PDF-1.7'], 'licence')],
    ['a PNG', new File([new Uint8Array([0x89, 0x50, 0x4e, 0x47, 1])], '1000012345')],
    [
      'a JPEG',
      new File([new Uint8Array([0xff, 0xd8, 0xff, 0xe0])], 'photo.heic', {
        type: 'application/octet-stream',
      }),
    ],
  ])('takes %s of which the picker says no kind', async (_, chosen) => {
    const { wrapper, file, choose } = await drop()
    await choose(chosen)
    await until(() => file.value !== null || wrapper.find('[role="alert"]').exists(), 'a word')
    expect(file.value?.name).toBe(chosen.name)
  })

  it('uses the file extension when the type is missing and the content unreadable', async () => {
    const { file, choose } = await drop()
    const chosen = new File(['%PDF-1.7'], 'licence.PDF')
    chosen.slice = () => ({ arrayBuffer: () => Promise.reject(new Error('away')) }) as Blob
    await choose(chosen)
    await until(() => file.value !== null, 'the file')
  })

  it.each([
    [new File(['x'], 'run.exe', { type: 'application/x-msdownload' }), 'This file type is not supported.'],
    [new File([new Uint8Array(5 * 1024 * 1024 + 1)], 'big.png', { type: 'image/png' }), 'larger than 5 MB'],
    [new File([], 'empty.png', { type: 'image/png' }), 'empty'],
    [new File(['PK, not a PDF'], 'licence.pdf'), 'This file type is not supported.'],
  ])('refuses %s before it is sent', async (bad, words) => {
    const { wrapper, file, choose } = await drop()
    await choose(bad)
    await until(() => wrapper.find('[role="alert"]').exists(), 'the word')
    expect(file.value).toBeNull()
    expect(wrapper.find('[role="alert"]').text()).toContain(words)
  })

  it('shows progress and accepts no other file during an upload', async () => {
    const { wrapper, file } = await drop({ busy: true, progress: 40 })
    expect(wrapper.find('[role="progressbar"]').attributes('aria-valuenow')).toBe('40')
    expect(wrapper.text()).toContain('40%')
    expect(wrapper.find('input').attributes('disabled')).toBeDefined()
    const chosen = new File(['%PDF-1.7'], 'other.pdf', { type: 'application/pdf' })
    await wrapper.find('label').trigger('drop', { dataTransfer: { files: [chosen] } })
    await new Promise((resolve) => setTimeout(resolve))
    expect(file.value).toBeNull()
  })

  it('says during an upload that the connection is gone, as long as it is', async () => {
    const { wrapper } = await drop({ busy: true, progress: 40 })
    expect(wrapper.text()).not.toContain(offline)
    appStatus.online = false
    await until(() => wrapper.find('[role="status"]').text().includes(offline), 'the message')
    appStatus.online = true
    await until(() => !wrapper.text().includes(offline), 'the message to go')
  })

  it('says nothing of the connection while nothing is uploaded', async () => {
    appStatus.online = false
    const { wrapper } = await drop()
    expect(wrapper.text()).not.toContain(offline)
  })
})
