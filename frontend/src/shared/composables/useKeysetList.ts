/** A list that grows by its cursor, from the infinite query options that are generated for its call. */
import {
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  type DataTag,
  type InfiniteData,
  type QueryKey,
} from '@tanstack/vue-query'
import { computed, toValue, watch, type MaybeRefOrGetter } from 'vue'
import type { Page } from '@/shared/api/types'
import { pollEvery, pollWhile } from '@/shared/lib/polling'

type Id = number | string
type AnyPage = Page<unknown>
type Row<P extends AnyPage> = P['items'][number]
type Pages<P> = InfiniteData<P>

/** What is visible of the options that `listXyzInfiniteOptions({ query })` returns: the type of a page, in the key. */
interface Generated<P> {
  queryKey: DataTag<QueryKey, InfiniteData<P>, unknown>
}
/** The rest of them; the generated type leaves it out. */
interface Call<P> {
  queryKey: QueryKey
  queryFn: (context: { queryKey: QueryKey; signal: AbortSignal; pageParam: unknown }) => Promise<P>
}
/** The generated call takes a cursor, or an object of parameters: this one asks for the first page. */
const firstPage: unknown = {}

interface Options<P extends AnyPage> {
  /** What tells one row from the others, where it has no `id`. */
  keyOf?: (row: Row<P>) => Id
  enabled?: MaybeRefOrGetter<boolean>
  /** Milliseconds between polls, for lists that others change. */
  every?: number
  /** For lists of work that runs elsewhere: the progress of the rows under way as text, null when there are none. */
  fingerprint?: (rows: readonly Row<P>[]) => string | null
}
type Rest<P extends AnyPage> =
  Row<P> extends { id: Id }
    ? [options?: Options<P>]
    : [options: Options<P> & Required<Pick<Options<P>, 'keyOf'>>]

/** The call is made from the parameters in its key, and aborted when nobody waits for it any more. */
export function useKeysetList<P extends AnyPage>(generated: () => Generated<P>, ...[options = {}]: Rest<P>) {
  const client = useQueryClient()
  const call = computed(() => generated() as unknown as Call<P>)
  const enabled = () => toValue(options.enabled ?? true)
  const keyOf: (row: Row<P>) => Id = options.keyOf ?? ((row) => (row as { id: Id }).id)
  const rowsOf = (data: Pages<P>): Row<P>[] => data.pages.flatMap((page) => page.items)
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
  /** Whether both hold the same rows in the same order: then the second can take the first's place among the pages that follow. */
  const sameRows = (one: P, other: P) =>
    one.items.length === other.items.length &&
    one.items.every((row, index) => keyOf(row) === keyOf(other.items[index]))

  const query = useInfiniteQuery(
    computed(() => ({
      queryKey: call.value.queryKey,
      queryFn: call.value.queryFn,
      initialPageParam: firstPage,
      getNextPageParam: (page: P) => page.next_cursor ?? undefined,
      enabled,
      // A refetch reads all pages again: with several of them open only the first one is polled, below.
      refetchInterval: polling
        ? (one: Parameters<typeof polling.all>[0]) => (several(one.state.data) ? false : polling.all(one))
        : (false as const),
      placeholderData: keepPreviousData<Pages<P>>,
    })),
  )

  if (polling) {
    const first = useQuery(
      computed(() => {
        const { queryKey, queryFn } = call.value
        return {
          queryKey: [...queryKey, 'first page'],
          queryFn: (context: { queryKey: QueryKey; signal: AbortSignal }) =>
            queryFn({ ...context, pageParam: firstPage }),
          enabled: () => enabled() && !query.isPlaceholderData.value && several(query.data.value),
          refetchInterval: polling.first,
          staleTime: 0,
          gcTime: 0,
        }
      }),
    )
    // While its rows stay the same the newer page takes the place of the first; once they moved all pages are read again.
    watch(first.data, (page) => {
      const key = call.value.queryKey
      const before = client.getQueryData<Pages<P>>(key)
      const [old, ...rest] = before?.pages ?? []
      if (!page || !before || !old || !rest.length) return
      if (sameRows(old, page)) client.setQueryData<Pages<P>>(key, { ...before, pages: [page, ...rest] })
      else void client.invalidateQueries({ queryKey: key, exact: true })
    })
  }

  return {
    keyOf,
    items: computed<Row<P>[]>(() => (query.data.value ? rowsOf(query.data.value) : [])),
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

export type KeysetList<T> = ReturnType<typeof useKeysetList<Page<T>>>
