import { describe, expect, it, vi } from 'vitest'
import { defineComponent, h, reactive } from 'vue'
import UFormField from '@nuxt/ui/components/FormField.vue'
import UInput from '@nuxt/ui/components/Input.vue'
import { http } from '@/shared/api/http'
import { addCustomerBody } from '@/shared/api/generated/schemas'
import { v } from '@/shared/lib/schema'
import { show, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import errors from '@/locales/en/errors.json'
import AppForm from './AppForm.vue'

const schema = v.pick(addCustomerBody, ['username', 'email'])

async function form(
  send: (values: unknown) => Promise<unknown>,
  typed = { username: 'asha', email: 'asha@example.org' },
) {
  const state = reactive({ ...typed })
  const field = (name: 'username' | 'email') =>
    h(UFormField, { name, label: name }, () =>
      h(UInput as never, {
        modelValue: state[name],
        'onUpdate:modelValue': (value: string) => (state[name] = value),
      }),
    )
  const page = defineComponent({
    render: () =>
      h(AppForm as never, { schema, state, send, action: 'Send' }, () => [field('username'), field('email')]),
  })
  const { wrapper } = await show(page)
  const submit = () => wrapper.find('form').trigger('submit')
  return { wrapper, state, submit }
}

describe('AppForm', () => {
  it('submits the values as parsed by the schema', async () => {
    const send = vi.fn(() => Promise.resolve())
    const { submit } = await form(send, { username: '  asha ', email: 'asha@example.org' })
    await submit()
    await until(() => send.mock.calls.length === 1, 'sending')
    expect(send).toHaveBeenCalledWith({ username: 'asha', email: 'asha@example.org' })
  })

  it('does not submit invalid values and focuses the first invalid field', async () => {
    const send = vi.fn(() => Promise.resolve())
    const { submit, wrapper } = await form(send, { username: 'a', email: 'nonsense' })
    await submit()
    await until(() => wrapper.findAll('[aria-invalid="true"]').length === 2, 'two marks')
    await until(() => document.activeElement === wrapper.find('[aria-invalid="true"]').element, 'the focus')
    expect(wrapper.text()).toContain('Enter at least 3 characters.')
    expect(wrapper.text()).toContain('Enter a valid email, such as name@example.com.')
    expect(send).not.toHaveBeenCalled()
  })

  it("puts the server's words beside their fields, keeps what was typed, and can be sent again", async () => {
    answer(
      'post',
      '/add_customer',
      [
        422,
        {
          code: 'invalid_fields',
          errors: { email: ['This address is taken.'], pincode: ['There is no such pincode.'] },
        },
      ],
      [201],
    )
    const { submit, wrapper, state } = await form((values) => http.post('/add_customer', values))
    await submit()
    await until(() => wrapper.text().includes('This address is taken.'), 'the word of the server')
    await until(() => document.activeElement === wrapper.find('[aria-invalid="true"]').element, 'the focus')
    expect(wrapper.find('[role="alert"]').text()).toContain('There is no such pincode.')
    expect(state).toEqual({ username: 'asha', email: 'asha@example.org' })
    await submit()
    await until(() => wrapper.find('[role="alert"]').exists() === false, 'success')
  })

  it('shows a known error of one field once, beside the field', async () => {
    answer('post', '/add_customer', [
      422,
      { code: 'email_taken', errors: { email: ['The server says so.'] } },
    ])
    const { submit, wrapper } = await form((values) => http.post('/add_customer', values))
    await submit()
    await until(() => document.activeElement?.getAttribute('aria-invalid') === 'true', 'the focus')
    expect(wrapper.text()).not.toContain('The server says so.')
    expect(wrapper.text().split(errors.email_taken)).toHaveLength(3)
    expect(wrapper.find('[role="alert"]').classes()).toContain('sr-only')
  })

  it("keeps the server's word about a field that was typed into just before", async () => {
    answer('post', '/add_customer', [
      422,
      { code: 'invalid_fields', errors: { email: ['This address is taken.'] } },
    ])
    const { submit, wrapper } = await form((values) => http.post('/add_customer', values))
    const email = wrapper.findAll('input')[1]
    await email?.trigger('blur')
    await email?.setValue('meera@example.org')
    await submit()
    await until(() => wrapper.text().includes('This address is taken.'), 'the word of the server')
    // As long as a late check would take: it would find nothing wrong, and take the word away.
    const start = performance.now()
    await until(
      () => performance.now() - start > 400 || !wrapper.text().includes('This address is taken.'),
      'the time of a late check',
    )
    expect(wrapper.text()).toContain('This address is taken.')
  })

  it("does not say again in the server's words what it says itself", async () => {
    answer('post', '/password/reset', [
      422,
      { code: 'link_invalid', errors: { token: ['This link is too old, says the server.'] } },
    ])
    const { submit, wrapper } = await form((values) => http.post('/password/reset', values))
    await submit()
    await until(() => wrapper.find('[role="alert"]').exists(), 'the banner')
    expect(wrapper.find('[role="alert"]').text()).toBe(
      'This link has expired or was already used. Request a new one.',
    )
  })

  it('shows an error that belongs to no field above the form', async () => {
    answer('post', '/check', [429, { code: 'too_many_tries' }, { 'Retry-After': '600' }])
    const { submit, wrapper } = await form((values) => http.post('/check', values))
    await submit()
    await until(() => wrapper.find('[role="alert"]').exists(), 'the banner')
    expect(wrapper.find('[role="alert"]').text()).toContain('Wait 10 min')
  })

  it('submits once for two taps', async () => {
    let done: () => void = () => undefined
    const send = vi.fn(() => new Promise<void>((resolve) => (done = resolve)))
    const { submit } = await form(send)
    await submit()
    await submit()
    await until(() => send.mock.calls.length > 0, 'sending')
    done()
    expect(send).toHaveBeenCalledOnce()
  })
})
