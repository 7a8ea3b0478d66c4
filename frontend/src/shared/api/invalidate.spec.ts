import { readFileSync } from 'node:fs'
import { QueryClient } from '@tanstack/vue-query'
import { describe, expect, it } from 'vitest'
import { getMyInboxQueryKey, getTaskQueryKey, listRequestsInfiniteQueryKey } from './generated'
import { invalidate, tags } from './invalidate'

interface Contract {
  paths: Record<string, Record<string, { tags?: string[] }>>
}

describe('invalidate', () => {
  it('marks every query of the tags as stale, whatever its parameters, and no other', async () => {
    const client = new QueryClient()
    const requests = [
      listRequestsInfiniteQueryKey({ query: { scope: 'mine' } }),
      getMyInboxQueryKey(),
      [...getMyInboxQueryKey(), 'first page'],
    ]
    const others = [getTaskQueryKey({ path: { task_id: 3 } }), ['type-ahead', 'places', '56']]
    for (const key of [...requests, ...others]) client.setQueryData(key, 'as it was')
    await invalidate(client, ['Requests'])
    const isStale = (key: readonly unknown[]) => client.getQueryState(key)?.isInvalidated
    expect(requests.map(isStale)).toEqual([true, true, true])
    expect(others.map(isStale)).toEqual([false, false])
  })

  it('knows the tags of openapi.json', () => {
    const { paths } = JSON.parse(readFileSync('../openapi.json', 'utf8')) as Contract
    const known = new Set(
      Object.values(paths).flatMap((path) => Object.values(path).flatMap((call) => call.tags ?? [])),
    )
    expect(tags.filter((tag) => !known.has(tag))).toEqual([])
  })
})
