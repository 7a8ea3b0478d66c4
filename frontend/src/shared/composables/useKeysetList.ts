/** A list that grows by its cursor. The key names the list and holds its filters, as refs or plain values. */
import { keepPreviousData, useInfiniteQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import type { Page } from '@/shared/api/types'

interface Options<P> {
  key: MaybeRefOrGetter<readonly unknown[]>
  load: (cursor: string | undefined) => Promise<P>
  enabled?: MaybeRefOrGetter<boolean>
  /** Milliseconds between looks at the first page, for lists that others change. */
  every?: number | false
}

export function useKeysetList<T, P extends Page<T> = Page<T>>(options: Options<P>) {
  const query = useInfiniteQuery({
    queryKey: computed(() => [...toValue(options.key)]),
    queryFn: ({ pageParam }: { pageParam: string | undefined }) => options.load(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: P) => page.next_cursor ?? undefined,
    enabled: () => toValue(options.enabled ?? true),
    refetchInterval: options.every ?? false,
    placeholderData: keepPreviousData,
  })

  return {
    items: computed<T[]>(() => query.data.value?.pages.flatMap((page) => page.items) ?? []),
    firstPage: computed<P | undefined>(() => query.data.value?.pages[0] as P | undefined),
    error: computed(() => query.error.value),
    loading: computed(() => query.isPending.value && query.fetchStatus.value !== 'idle'),
    stale: computed(() => query.isPlaceholderData.value),
    hasMore: computed(() => query.hasNextPage.value),
    loadingMore: computed(() => query.isFetchingNextPage.value),
    more: () => query.fetchNextPage(),
    reload: () => query.refetch(),
  }
}

export type KeysetList<T> = ReturnType<typeof useKeysetList<T>>
