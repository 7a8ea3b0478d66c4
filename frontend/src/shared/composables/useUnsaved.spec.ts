import { describe, expect, it } from 'vitest'
import { defineComponent, h, reactive } from 'vue'
import UFormField from '@nuxt/ui/components/FormField.vue'
import UInput from '@nuxt/ui/components/Input.vue'
import { v } from '@/shared/lib/schema'
import { show, someone, until } from '@/shared/testing/mount'
import AppForm from '@/shared/ui/AppForm.vue'
import { usePanel } from './usePanel'

const schema = v.object({ name: v.string() })
const dialog = () => document.querySelector('[role="dialog"]')
const button = (text: string) =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === text)

async function form(guard: boolean | string = true, path = '/edit') {
  const state = reactive({ name: 'before' })
  const page = defineComponent({
    render: () =>
      h(AppForm as never, { schema, state, guard, send: () => Promise.resolve(), action: 'Save' }, () =>
        h(UFormField, { name: 'name', label: 'name' }, () =>
          h(UInput as never, {
            modelValue: state.name,
            'onUpdate:modelValue': (value: string) => (state.name = value),
          }),
        ),
      ),
  })
  const { wrapper, router } = await show(page, { path, user: someone('customer') })
  return { wrapper, router, state }
}
const leaving = () => {
  const event = new Event('beforeunload', { cancelable: true })
  window.dispatchEvent(event)
  return event.defaultPrevented
}

describe('a form under guard', () => {
  it('allows leaving when nothing was changed or everything was saved', async () => {
    const { wrapper, router, state } = await form()
    expect(leaving()).toBe(false)
    state.name = 'after'
    expect(leaving()).toBe(true)
    await wrapper.find('form').trigger('submit')
    await until(() => !leaving(), 'the save')
    await router.push('/elsewhere')
    expect(router.currentRoute.value.path).toBe('/elsewhere')
  })

  it('asks before unsaved changes are left, and stays or leaves by the choice', async () => {
    const { router, state } = await form()
    state.name = 'after'
    const stays = router.push('/elsewhere')
    await until(() => dialog() !== null, 'the question')
    button('Keep editing')?.click()
    await stays
    expect(router.currentRoute.value.path).toBe('/edit')
    await until(() => dialog() === null, 'the end of the question')
    const goes = router.push('/elsewhere')
    await until(() => dialog() !== null, 'the question again')
    button('Leave without saving')?.click()
    await goes
    expect(router.currentRoute.value.path).toBe('/elsewhere')
  })

  it('asks when its panel is closed, but not for other changes of the URL', async () => {
    const { router, state } = await form('edit', '/tasks?edit=5')
    state.name = 'after'
    await router.push('/tasks?edit=5&q=tap')
    expect(router.currentRoute.value.query.q).toBe('tap')
    const closes = router.push('/tasks?q=tap')
    await until(() => dialog() !== null, 'the question')
    button('Leave without saving')?.click()
    await closes
    expect(router.currentRoute.value.query).toEqual({ q: 'tap' })
  })
})

describe('usePanel', () => {
  it('is opened by the URL, so that Back closes it', async () => {
    let panel: ReturnType<typeof usePanel> | undefined
    const page = defineComponent({
      setup() {
        panel = usePanel('edit')
        return () => h('p')
      },
    })
    const { router } = await show(page, { path: '/tasks?q=tap' })
    panel?.show(5)
    await until(() => panel?.id.value === 5, 'the panel')
    router.back()
    await until(() => panel?.shown.value === undefined, 'its end')
    expect(router.currentRoute.value.fullPath).toBe('/tasks?q=tap')
    panel?.show('new')
    await until(() => panel?.shown.value === 'new', 'the panel again')
    panel?.hide()
    await until(() => panel?.shown.value === undefined, 'its end again')
    expect(router.currentRoute.value.fullPath).toBe('/tasks?q=tap')
  })
})
