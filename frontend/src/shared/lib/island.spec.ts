import { expect, it, vi } from 'vitest'
import { createSSRApp, defineComponent, h, nextTick, ref } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { until } from '@/shared/testing/mount'
import { island, onTouch, onView } from './island'

const counter = defineComponent({
  setup() {
    const count = ref(0)
    return () => h('button', { type: 'button', onClick: () => (count.value += 1) }, String(count.value))
  },
})

it('is in the page from the start, and alive from the first touch on', async () => {
  const load = vi.fn(() => Promise.resolve({ default: counter }))
  const page = defineComponent({ render: () => h('main', h(part)) })
  const part = island(load, onTouch)
  document.body.innerHTML = `<div id="app">${await renderToString(createSSRApp(page))}</div>`
  const button = document.querySelector('button') as HTMLButtonElement
  load.mockClear()

  const again = island(load, onTouch)
  createSSRApp(defineComponent({ render: () => h('main', h(again)) })).mount('#app')
  await nextTick()
  button.click()
  await nextTick()
  expect([button.textContent, load.mock.calls.length]).toEqual(['0', 0])

  button.dispatchEvent(new Event('pointerdown', { bubbles: true }))
  await until(() => {
    button.click()
    return button.textContent !== '0'
  }, 'a counter that counts')
  expect(document.querySelector('button')).toBe(button)
})

it('takes a press from before it was alive, once', async () => {
  const load = () => Promise.resolve({ default: counter })
  const part = island(load, onTouch)
  document.body.innerHTML = `<div id="app">${await renderToString(createSSRApp(defineComponent({ render: () => h('main', h(part)) })))}</div>`
  const button = document.querySelector('button') as HTMLButtonElement
  window.pressedEarly = button

  const again = island(load, onTouch)
  createSSRApp(defineComponent({ render: () => h('main', h(again)) })).mount('#app')
  await nextTick()
  expect(button.textContent).toBe('0')
  button.dispatchEvent(new Event('pointerdown', { bubbles: true }))
  await until(() => button.textContent !== '0', 'a counter that counts')
  expect(button.textContent).toBe('1')
})

it('takes a press from when it has just become alive once', async () => {
  const load = () => Promise.resolve({ default: counter })
  document.body.innerHTML = `<div id="app">${await renderToString(createSSRApp(defineComponent({ render: () => h('main', h(island(load, onTouch))) })))}</div>`
  const button = document.querySelector('button') as HTMLButtonElement
  window.pressedEarly = null
  const again = island(load, onTouch)
  createSSRApp(defineComponent({ render: () => h('main', h(again)) })).mount('#app')
  await nextTick()

  const later: (() => void)[] = []
  const wait = globalThis.setTimeout
  vi.stubGlobal('setTimeout', (work: () => void, delay?: number) =>
    delay === undefined ? later.push(work) : wait(work, delay),
  )
  button.dispatchEvent(new Event('pointerdown', { bubbles: true }))
  await until(() => later.length > 0, 'a part that is alive')
  window.pressedEarly = button
  button.click()
  await nextTick()
  expect(button.textContent).toBe('1')
  for (const work of later) work()
  await nextTick()
  expect(button.textContent).toBe('1')
  vi.unstubAllGlobals()
})

it('is there at once where it was loaded before', async () => {
  const part = island(() => Promise.resolve({ default: counter }), onTouch)
  await part.preload()
  document.body.innerHTML = '<div id="app"></div>'
  createSSRApp(part).mount('#app')
  expect(document.querySelector('button')?.textContent).toBe('0')
})

it('is loaded once it comes close to the screen', async () => {
  let tell: ((entries: { isIntersecting: boolean }[]) => void) | undefined
  class Observer {
    constructor(seen: NonNullable<typeof tell>) {
      tell = seen
    }
    observe = vi.fn()
    disconnect = vi.fn()
  }
  vi.stubGlobal('IntersectionObserver', Observer)
  const load = vi.fn(() => Promise.resolve({ default: counter }))
  const page = (part: typeof counter) => createSSRApp(defineComponent({ render: () => h('main', h(part)) }))
  document.body.innerHTML = `<div id="app">${await renderToString(page(island(load, onView)))}</div>`
  load.mockClear()
  page(island(load, onView)).mount('#app')
  await nextTick()
  tell?.([{ isIntersecting: false }])
  await nextTick()
  expect(load).not.toHaveBeenCalled()
  tell?.([{ isIntersecting: true }])
  await until(() => load.mock.calls.length === 1, 'the part')
  vi.unstubAllGlobals()
})
