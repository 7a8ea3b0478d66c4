import { describe, expect, it } from 'vitest'
import { defineComponent, h } from 'vue'
import { http } from '@/shared/api/http'
import type { Page } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { show, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import KeysetList from './KeysetList.vue'

interface Row {
  id: number
}

const page = defineComponent({
  setup() {
    const list = useKeysetList<Row>({
      key: ['rows'],
      load: async (cursor) => (await http.get<Page<Row>>('/rows', { params: { cursor } })).data,
    })
    return () => h(KeysetList as never, { list, label: 'Rows', empty: { icon: 'i-lucide-inbox', title: 'No rows' } }, { default: ({ item }: { item: Row }) => `row ${item.id}` })
  },
})

describe('KeysetList', () => {
  it('shows that it waits, then the rows, then more of them by the cursor', async () => {
    const seen = answer('get', '/rows', [200, { items: [{ id: 1 }, { id: 2 }], next_cursor: 'abc' }], [200, { items: [{ id: 3 }], next_cursor: null }])
    const { wrapper } = await show(page)
    expect(wrapper.find('[aria-busy="true"]').exists()).toBe(true)
    await until(() => wrapper.findAll('li').length === 2, 'the first page')
    await wrapper.find('button').trigger('click')
    await until(() => wrapper.findAll('li').length === 3, 'the second page')
    expect(seen.map((one) => one.url.searchParams.get('cursor'))).toEqual([null, 'abc'])
    expect(wrapper.find('button').exists()).toBe(false)
  })

  it('says when there is nothing', async () => {
    answer('get', '/rows', [200, { items: [], next_cursor: null }])
    const { wrapper } = await show(page)
    await until(() => wrapper.text().includes('No rows'), 'emptiness')
  })

  it('says what failed and reads again on request', async () => {
    answer('get', '/rows', [503, { code: 'unavailable' }], [200, { items: [{ id: 1 }], next_cursor: null }])
    const { wrapper } = await show(page)
    await until(() => wrapper.find('[role="alert"] button').exists(), 'the failure')
    await wrapper.find('button').trigger('click')
    await until(() => wrapper.text().includes('row 1'), 'the row')
  })
})
