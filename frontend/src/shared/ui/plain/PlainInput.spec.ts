import { expect, it } from 'vitest'
import { createSSRApp, defineComponent, h, nextTick, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import PlainInput from './PlainInput.vue'

/** A field as the server sends it, and what hydrates it. */
async function sent(initial: string) {
  const model = ref(initial)
  const page = defineComponent({
    render: () =>
      h(PlainInput, {
        name: 'q',
        modelValue: model.value,
        'onUpdate:modelValue': (value: string) => (model.value = value),
      }),
  })
  document.body.innerHTML = `<div id="app">${await renderToString(createSSRApp(page))}</div>`
  const input = document.querySelector('input') as HTMLInputElement
  const hydrate = async () => {
    createSSRApp(page).mount('#app')
    await nextTick()
    await nextTick()
  }
  return { input, model, hydrate }
}

it('keeps what was typed before it was hydrated, with the focus and the caret', async () => {
  const { input, model, hydrate } = await sent('')
  input.value = 'asha'
  input.focus()
  input.setSelectionRange(2, 2)
  await hydrate()
  expect(document.querySelector('input')).toBe(input)
  expect([input.value, model.value]).toEqual(['asha', 'asha'])
  expect(document.activeElement).toBe(input)
  expect(input.selectionStart).toBe(2)
})

it('shows the value that it was sent with, and later ones', async () => {
  const { input, model, hydrate } = await sent('tap')
  expect(input.value).toBe('tap')
  await hydrate()
  expect(model.value).toBe('tap')
  model.value = 'pipe'
  await nextTick()
  expect(input.value).toBe('pipe')
})
