import { useQuery } from '@tanstack/vue-query'
import { expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import { http } from '@/shared/api/http'
import { show, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import QueryView from './QueryView.vue'

const page = defineComponent({
  setup() {
    const query = useQuery({
      queryKey: ['one'],
      queryFn: async ({ signal }) => (await http.get<{ name: string }>('/one', { signal })).data,
    })
    return () => [
      h('button', { id: 'again', onClick: () => void query.refetch() }),
      h(QueryView as never, { query }, { default: () => h('input') }),
    ]
  },
})

it('shows loading and errors, and loads again on request', async () => {
  answer('get', '/one', [500, { code: 'internal_error' }], [200, { name: 'Tap repair' }])
  const { wrapper } = await show(page)
  expect(wrapper.find('[aria-busy="true"]').exists()).toBe(true)
  await until(() => wrapper.find('[role="alert"] button').exists(), 'the failure')
  await wrapper.find('[role="alert"] button').trigger('click')
  await until(() => wrapper.find('input').exists(), 'the page')
})

it('keeps its content and typed input when a refresh fails', async () => {
  answer(
    'get',
    '/one',
    [200, { name: 'Tap repair' }],
    [500, { code: 'internal_error' }],
    [200, { name: 'Tap repair' }],
  )
  const { wrapper } = await show(page)
  await until(() => wrapper.find('input').exists(), 'the page')
  const input = wrapper.find('input').element
  input.value = 'half written'
  await wrapper.find('#again').trigger('click')
  await until(() => wrapper.text().includes('This may be out of date.'), 'the word')
  expect(wrapper.find('input').element).toBe(input)
  expect(input.value).toBe('half written')
  await wrapper.find('[role="status"] button').trigger('click')
  await until(() => !wrapper.text().includes('This may be out of date.'), 'quiet')
})
