import { describe, expect, it, vi } from 'vitest'
import { http as msw, HttpResponse } from 'msw'
import { defineComponent, h, ref } from 'vue'
import { listTasksInfiniteOptions } from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { show, until } from '@/shared/testing/mount'
import { answer, server } from '@/shared/testing/server'
import KeysetList from './KeysetList.vue'

interface Asked {
  queryKey: readonly [{ query?: { q?: string } }]
  signal: AbortSignal
}

const page = defineComponent({
  setup() {
    const list = useKeysetList(() => listTasksInfiniteOptions())
    return () =>
      h(
        KeysetList as never,
        { list, label: 'Rows', empty: { icon: 'i-lucide-inbox', title: 'No rows' } },
        { default: ({ item }: { item: { id: number } }) => `row ${item.id}` },
      )
  },
})

describe('KeysetList', () => {
  it('shows loading, then the rows, then more rows by cursor', async () => {
    const seen = answer(
      'get',
      '/tasks',
      [200, { items: [{ id: 1 }, { id: 2 }], next_cursor: 'abc' }],
      [200, { items: [{ id: 3 }], next_cursor: null }],
    )
    const { wrapper } = await show(page)
    expect(wrapper.find('[aria-busy="true"]').exists()).toBe(true)
    await until(() => wrapper.findAll('li').length === 2, 'the first page')
    await wrapper.find('button').trigger('click')
    await until(() => wrapper.findAll('li').length === 3, 'the second page')
    expect(seen.map((one) => one.url.searchParams.get('cursor'))).toEqual([null, 'abc'])
    expect(wrapper.find('button').exists()).toBe(false)
  })

  it('shows the empty state', async () => {
    answer('get', '/tasks', [200, { items: [], next_cursor: null }])
    const { wrapper } = await show(page)
    await until(() => wrapper.text().includes('No rows'), 'emptiness')
  })

  it('shows the error and loads again on request', async () => {
    answer('get', '/tasks', [503, { code: 'unavailable' }], [200, { items: [{ id: 1 }], next_cursor: null }])
    const { wrapper } = await show(page)
    await until(() => wrapper.find('[role="alert"] button').exists(), 'the failure')
    await wrapper.find('button').trigger('click')
    await until(() => wrapper.text().includes('row 1'), 'the row')
  })

  it('shows an error when the next page fails, keeps the rows, and retries on request', async () => {
    answer(
      'get',
      '/tasks',
      [200, { items: [{ id: 1 }], next_cursor: 'abc' }],
      [500, { code: 'internal_error' }],
      [200, { items: [{ id: 2 }], next_cursor: null }],
    )
    const { wrapper } = await show(page)
    await until(() => wrapper.text().includes('row 1'), 'the first page')
    await wrapper.find('button').trigger('click')
    await until(() => wrapper.find('[role="alert"]').exists(), 'the failure')
    expect(wrapper.text()).toContain('row 1')
    expect(wrapper.find('button').text()).toBe('Try again')
    await wrapper.find('button').trigger('click')
    await until(() => wrapper.text().includes('row 2'), 'the second page')
    expect(wrapper.find('[role="alert"]').exists()).toBe(false)
  })

  it('keeps its rows when a refresh fails and says that they may be out of date', async () => {
    answer(
      'get',
      '/tasks',
      [200, { items: [{ id: 1 }], next_cursor: null }],
      [500, { code: 'internal_error' }],
    )
    const { wrapper } = await show(page)
    await until(() => wrapper.text().includes('row 1'), 'the row')
    window.dispatchEvent(new Event('visibilitychange'))
    await until(() => wrapper.text().includes('This may be out of date.'), 'the word')
    expect(wrapper.text()).toContain('row 1')
  })

  it('calls immediately without a connection, and reports the failure instead of loading endlessly', async () => {
    server.use(msw.get('*/tasks', () => HttpResponse.error()))
    const { wrapper } = await show(page)
    window.dispatchEvent(new Event('offline'))
    await until(() => wrapper.find('[role="alert"] button').exists(), 'the failure')
    expect(wrapper.find('[aria-busy="true"]').exists()).toBe(false)
    answer('get', '/tasks', [200, { items: [{ id: 1 }], next_cursor: null }])
    window.dispatchEvent(new Event('online'))
    await until(() => wrapper.text().includes('row 1'), 'the row')
  })
})

describe('useKeysetList', () => {
  const filter = ref('a')
  const filtered = (every?: number) =>
    defineComponent({
      setup() {
        const list = useKeysetList(() => listTasksInfiniteOptions({ query: { q: filter.value } }), {
          ...(every && { every }),
        })
        return () =>
          h(
            KeysetList as never,
            { list, label: 'Rows', empty: { icon: 'i-lucide-inbox', title: 'No rows' } },
            { default: ({ item }: { item: { id: number } }) => `row ${item.id}` },
          )
      },
    })

  it('aborts outdated calls and loads the next filter under its own key', async () => {
    filter.value = 'a'
    const signals = new Map<string, AbortSignal>()
    const part = defineComponent({
      setup() {
        const list = useKeysetList(() => {
          const options = listTasksInfiniteOptions({ query: { q: filter.value } })
          const queryFn = ({ queryKey, signal }: Asked) => {
            const q = queryKey[0].query?.q ?? ''
            signals.set(q, signal)
            return q === 'a'
              ? new Promise(() => undefined)
              : Promise.resolve({ items: [{ id: 2 }], next_cursor: null })
          }
          return { ...options, queryFn }
        })
        return () => list.items.value.map(({ id }) => `row ${id}`)
      },
    })
    const { wrapper } = await show(part)
    await until(() => signals.has('a'), 'the call')
    filter.value = 'b'
    await until(() => wrapper.text().includes('row 2'), 'the other rows')
    expect([signals.get('a')?.aborted, signals.get('b')?.aborted]).toEqual([true, false])
  })

  it('polls the first page alone while several are open, and reads all of them when its rows have moved', async () => {
    filter.value = 'c'
    const seen: (string | null)[] = []
    let first = [{ id: 1, word: 'old' }]
    server.use(
      msw.get('*/tasks', ({ request }) => {
        const cursor = new URL(request.url).searchParams.get('cursor')
        seen.push(cursor)
        return HttpResponse.json(
          cursor ? { items: [{ id: 2 }], next_cursor: null } : { items: first, next_cursor: 'next' },
        )
      }),
    )
    const { wrapper } = await show(filtered(20))
    await until(() => wrapper.findAll('li').length === 1, 'the first page')
    await wrapper.find('button').trigger('click')
    await until(() => wrapper.findAll('li').length === 2, 'the second page')
    const before = seen.length
    await until(() => seen.length >= before + 5, 'some polls')
    expect(seen.slice(before).every((cursor) => cursor === null)).toBe(true)
    first = [{ id: 3, word: 'new' }]
    await until(() => wrapper.text().includes('row 3'), 'the new row')
    await until(() => seen.slice(before).includes('next'), 'the second page, read again')
  })

  it('stops polling after its page is left, also during a poll', async () => {
    filter.value = 'd'
    let calls = 0
    let answerNow: () => void = () => undefined
    server.use(
      msw.get('*/tasks', async () => {
        calls += 1
        if (calls === 2) await new Promise<void>((resolve) => (answerNow = resolve))
        return HttpResponse.json({ items: [{ id: 1 }], next_cursor: null })
      }),
    )
    const { wrapper } = await show(filtered(10))
    await until(() => calls === 2, 'the poll')
    wrapper.unmount()
    answerNow()
    vi.useFakeTimers()
    await vi.advanceTimersByTimeAsync(60_000)
    vi.useRealTimers()
    expect(calls).toBe(2)
  })
})
