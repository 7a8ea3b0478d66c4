import { QueryClient } from '@tanstack/vue-query'
import { toProblem } from '@/shared/api/problem'

/** Only what may heal by itself is tried again: no answer at all, or a part that is away. */
export function mayHeal(failures: number, error: unknown): boolean {
  const { status } = toProblem(error)
  return failures < 2 && (status === 0 || status === 503)
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { staleTime: 15_000, retry: mayHeal, refetchOnWindowFocus: true },
    mutations: { retry: false },
  },
})
