import { defineComponent, h } from 'vue'
import { describe, expect, it } from 'vitest'
import { show, until } from '@/shared/testing/mount'
import { field, readQuery, useUrlFilters } from './useUrlFilters'

const schema = {
  q: field.text,
  account_id: field.number,
  from: field.day,
  changes_only: field.flag,
  state: field.oneOf(['sent', 'failed'] as const),
  km: field.oneOf([5, 10] as const),
}

describe('readQuery', () => {
  it('reads each field by its kind', () => {
    const query = {
      q: ' tap ',
      account_id: '7',
      from: '2026-11-20',
      changes_only: '1',
      state: 'sent',
      km: '10',
    }
    expect(readQuery(schema, query)).toEqual({
      q: 'tap',
      account_id: 7,
      from: '2026-11-20',
      changes_only: true,
      state: 'sent',
      km: 10,
    })
  })

  it('leaves out what makes no sense, is repeated or is unknown', () => {
    const query = {
      q: '',
      account_id: '-1',
      from: '0202-02-31',
      changes_only: '2',
      state: ['sent', 'sent'],
      x: '1',
    }
    expect(readQuery(schema, query)).toEqual({})
  })
})

describe('useUrlFilters', () => {
  async function opened(path: string) {
    let filters: ReturnType<typeof useUrlFilters<typeof schema>> | undefined
    const page = defineComponent({
      setup() {
        filters = useUrlFilters(schema)
        return () => h('p')
      },
    })
    const { router } = await show(page, { path })
    if (!filters) throw new Error('The page was not set up')
    return { filters, router, query: () => router.currentRoute.value.query }
  }

  it('changes and clears its own fields and leaves the rest of the query alone', async () => {
    const { filters, query } = await opened('/list?open=3&state=sent')
    filters.set({ state: undefined, changes_only: true, km: 5 })
    await until(() => query().km === '5', 'the change')
    expect(query()).toEqual({ open: '3', changes_only: '1', km: '5' })
    expect(filters.isFiltered.value).toBe(true)
    filters.clear()
    expect(filters.isFiltered.value).toBe(false)
    await until(() => query().km === undefined, 'the end of all filters')
    expect(query()).toEqual({ open: '3' })
  })

  it('keeps both of two changes that follow each other at once', async () => {
    const { filters, query } = await opened('/list?open=3')
    filters.set({ state: 'sent' })
    filters.set({ km: 5 })
    expect(filters.values.value).toEqual({ state: 'sent', km: 5 })
    await until(() => query().km === '5', 'the second change')
    expect(query()).toEqual({ open: '3', state: 'sent', km: '5' })
  })

  it('shows what is in the URL again where the change of it was refused', async () => {
    const { filters, query, router } = await opened('/list?state=sent')
    router.beforeEach(() => false)
    filters.set({ state: 'failed' })
    expect(filters.values.value.state).toBe('failed')
    await until(() => filters.values.value.state === 'sent', 'the filter before')
    expect(query()).toEqual({ state: 'sent' })
  })

  it('puts a search into the URL once the user stops typing', async () => {
    const { filters, query } = await opened('/list')
    const text = filters.typed('q')
    text.value = 'tap '
    expect(query()).toEqual({})
    await until(() => query().q === 'tap', 'the search')
    filters.clear()
    await until(() => text.value === '', 'the empty field')
  })
})
