import {
  onlineManager,
  QueryClient,
  VueQueryPlugin,
  type DefaultOptions,
  type QueryPersister,
} from '@tanstack/vue-query'
import { currentIdentity } from '@/shared/api/identity'
import { toProblem } from '@/shared/api/problem'

/** Retry only temporary failures: no response, or an unavailable dependency. Without a connection nothing is retried. */
export function mayHeal(failures: number, error: unknown): boolean {
  const { status } = toProblem(error)
  return failures < 2 && onlineManager.isOnline() && (status === 0 || status === 503)
}

/**
 * Calls are made immediately, even without a connection, and report their failure. If they were paused until the connection
 * returns, lists would load endlessly, and changes would be sent long after the user left the page.
 */
export const defaultOptions: DefaultOptions = {
  queries: {
    staleTime: 15_000,
    retry: mayHeal,
    refetchOnWindowFocus: true,
    networkMode: 'always',
    refetchOnReconnect: true,
  },
  mutations: { retry: false, networkMode: 'always' },
}

/** Operations whose answers are kept on the device: what a visit needs. */
const kept = ['getMyAgenda', 'getRequest', 'getRequestChecklist', 'listRequests']

const persister: QueryPersister = async (fetch, context, query) => {
  if (currentIdentity().account === null) return fetch(context)
  const { answerAndKeep } = await import('@/shared/offline/keptAnswers')
  return answerAndKeep(fetch, context, query)
}

export { VueQueryPlugin }
export const queryClient = new QueryClient({ defaultOptions })
for (const operation of kept) queryClient.setQueryDefaults([{ _id: operation }], { persister })
