/** A list that grows by its cursor. What it is asked for stands in its key, and is read from there. */
import {
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  type InfiniteData,
} from '@tanstack/vue-query'
import { computed, toValue, watch, type MaybeRefOrGetter } from 'vue'
import type { Page } from '@/shared/api/types'
import { pollEvery, pollWhile } from '@/shared/lib/polling'

type Cursor = string | undefined
type Pages<P> = InfiniteData<P>

/** What one call is made from: the filters of the key that it answers, the place in the list, and the signal that breaks it off. */
export interface Ask<F> {
  filters: F
  cursor: Cursor
  signal: AbortSignal
}

interface Options<T, F, P> {
  /** The feature's name first, then the list's. */
  key: readonly unknown[]
  /** What narrows the list, as a ref, a getter or a plain value; the last part of its key. */
  filters?: MaybeRefOrGetter<F>
  load: (ask: Ask<F>) => Promise<P>
  enabled?: MaybeRefOrGetter<boolean>
  /** Milliseconds between polls, for lists that others change. */
  every?: number
  /** For lists of work that runs elsewhere: what the rows under way look like as text, null when there are none. */
  fingerprint?: (rows: readonly T[]) => string | null
}

/** Whether both hold the same rows in the same order: then the second can take the first's place among the pages that follow. */
function sameRows<T extends { id: number | string }>(one: Page<T>, other: Page<T>): boolean {
  return (
    one.items.length === other.items.length &&
    one.items.every(({ id }, index) => id === other.items[index]?.id)
  )
}

export function useKeysetList<T extends { id: number | string }, F = undefined, P extends Page<T> = Page<T>>(
  options: Options<T, F, P>,
) {
  const client = useQueryClient()
  const queryKey = computed(() => [...options.key, toValue(options.filters)])
  const enabled = () => toValue(options.enabled ?? true)
  const filtersOf = (key: readonly unknown[]) => key[options.key.length] as F
  const rowsOf = (data: Pages<P>): T[] => data.pages.flatMap((page) => page.items)
  const { every, fingerprint } = options
  const polling = fingerprint
    ? {
        all: pollWhile<Pages<P>>((data) => fingerprint(rowsOf(data))),
        first: pollWhile<P>((page) => fingerprint(page.items)),
      }
    : every === undefined
      ? null
      : { all: pollEvery(every), first: pollEvery(every) }
  const several = (data: Pages<P> | undefined) => (data?.pages.length ?? 0) > 1

  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ queryKey: key, pageParam, signal }) =>
      options.load({ filters: filtersOf(key), cursor: pageParam, signal }),
    initialPageParam: undefined as Cursor,
    getNextPageParam: (page: P): Cursor => page.next_cursor ?? undefined,
    enabled,
    // A refetch reads all pages again: with several of them open only the first one is polled, below.
    refetchInterval: polling ? (one) => (several(one.state.data) ? false : polling.all(one)) : false,
    placeholderData: keepPreviousData,
  })

  if (polling) {
    const first = useQuery({
      queryKey: computed(() => [...queryKey.value, 'first page']),
      queryFn: ({ queryKey: key, signal }) =>
        options.load({ filters: filtersOf(key), cursor: undefined, signal }),
      enabled: () => enabled() && !query.isPlaceholderData.value && several(query.data.value),
      refetchInterval: polling.first,
      staleTime: 0,
      gcTime: 0,
    })
    // While its rows stay the same the newer page takes the place of the first; once they moved all pages are read again.
    watch(first.data, (page) => {
      const key = queryKey.value
      const before = client.getQueryData<Pages<P>>(key)
      const [old, ...rest] = before?.pages ?? []
      if (!page || !before || !old || !rest.length) return
      if (sameRows(old, page)) client.setQueryData<Pages<P>>(key, { ...before, pages: [page, ...rest] })
      else void client.invalidateQueries({ queryKey: key, exact: true })
    })
  }

  const items = computed<T[]>(() => (query.data.value ? rowsOf(query.data.value) : []))
  return {
    items,
    firstPage: computed<P | undefined>(() => query.data.value?.pages[0]),
    error: computed(() => query.error.value),
    loading: computed(() => query.isPending.value && query.fetchStatus.value !== 'idle'),
    stale: computed(() => query.isPlaceholderData.value),
    hasMore: computed(() => query.hasNextPage.value),
    loadingMore: computed(() => query.isFetchingNextPage.value),
    /** The last try for more rows failed; what was there before still stands. */
    moreFailed: computed(() => query.isFetchNextPageError.value),
    /** The last refetch failed: what is shown may be out of date. */
    outdated: computed(() => query.isRefetchError.value),
    more: () => query.fetchNextPage(),
    reload: () => query.refetch(),
  }
}

export type KeysetList<T extends { id: number | string }> = ReturnType<typeof useKeysetList<T, unknown>>
