import { onlineManager, QueryClient, type DefaultOptions } from '@tanstack/vue-query'
import { toProblem } from '@/shared/api/problem'

/** Only what may heal by itself is tried again: no answer at all, or a part that is away. Without a connection nothing is. */
export function mayHeal(failures: number, error: unknown): boolean {
  const { status } = toProblem(error)
  return failures < 2 && onlineManager.isOnline() && (status === 0 || status === 503)
}

/**
 * Every call is made at once, connection or not: what fails says so. Held back until the connection returns, a list would
 * load for ever, and a change would be sent long after the person has left it.
 */
export const defaultOptions: DefaultOptions = {
  queries: { staleTime: 15_000, retry: mayHeal, refetchOnWindowFocus: true, networkMode: 'always', refetchOnReconnect: true },
  mutations: { retry: false, networkMode: 'always' },
}

export const queryClient = new QueryClient({ defaultOptions })
