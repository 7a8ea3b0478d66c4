/** Answers kept on this device for the account that is signed in: what a visit needs can be read without a connection. */
import { experimental_createQueryPersister, type AsyncStorage } from '@tanstack/query-persist-client-core'
import {
  hashKey,
  QueryClient,
  type FetchQueryOptions,
  type Query,
  type QueryFunctionContext,
  type QueryKey,
} from '@tanstack/vue-query'
import { clear, createStore, del, delMany, entries, get, keys, set, type UseStore } from 'idb-keyval'
import { currentIdentity, isCurrent, type Identity } from '@/shared/api/identity'

/** In milliseconds: an agenda older than a week says nothing about today. */
const maxAge = 7 * 24 * 60 * 60 * 1000

let opened: UseStore | undefined
const store = (): UseStore => (opened ??= createStore('doorstep-answers', 'answers'))

/** Where the browser refuses to keep anything, nothing is kept and nothing fails. */
async function guarded<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch {
    return undefined
  }
}

/** A query may end after its account has left: then nothing more is kept. */
function storageFor(asked: Identity): AsyncStorage {
  return {
    getItem: (key) => guarded(() => get<string>(key, store())),
    setItem: (key, value) => (isCurrent(asked) ? guarded(() => set(key, value, store())) : undefined),
    removeItem: async (key) => guarded(() => del(key, store())),
    entries: async () => (await guarded(() => entries<string, string>(store()))) ?? [],
  }
}

const prefixOf = (account: number): string => `account-${account}`
const persisterFor = (asked: Identity, account: number) =>
  experimental_createQueryPersister({
    storage: storageFor(asked),
    buster: import.meta.env.CONTRACT,
    maxAge,
    refetchOnRestore: false,
    prefix: prefixOf(account),
  })

type Fetch<T> = (context: QueryFunctionContext) => T | Promise<T>

/** Answer by what is kept, and ask the server afterwards; where nothing is kept, ask it at once. Its answer is kept. */
export async function answerAndKeep<T>(
  fetch: Fetch<T>,
  context: QueryFunctionContext,
  query: Query,
): Promise<T> {
  const asked = currentIdentity()
  if (asked.account === null) return fetch(context)
  let isFromServer = false
  const askServer: Fetch<T> = (now) => {
    isFromServer = true
    return fetch(now)
  }
  const answer = await persisterFor(asked, asked.account).persisterFn<T, QueryKey>(askServer, context, query)
  // The persister asks as well, but leaves a failure to nobody; the query's own state has it.
  if (!isFromServer) setTimeout(() => void query.fetch().catch(() => undefined))
  return answer
}

/** What is kept of an answer, while it may still be read. */
export async function keptAnswer<T>(key: QueryKey): Promise<T | undefined> {
  const asked = currentIdentity()
  if (asked.account === null) return undefined
  return persisterFor(asked, asked.account).retrieveQuery<T>(hashKey(key))
}

/** Ask the server, whatever is kept, and keep its answer for a page that is opened later. Throws what the call throws. */
export async function askAndKeep<T, E, K extends QueryKey>(
  options: FetchQueryOptions<T, E, T, K>,
): Promise<T> {
  const asked = currentIdentity()
  // Of its own, so that no page's query loses its ways of asking.
  const client = new QueryClient({ defaultOptions: { queries: { networkMode: 'always' } } })
  const answer = await client.fetchQuery(options)
  if (asked.account !== null)
    await persisterFor(asked, asked.account).persistQueryByKey(options.queryKey, client)
  client.clear()
  return answer
}

/** Remove what is kept, or all but one account's, and of that what is too old. */
export async function dropAnswers(keep?: number): Promise<void> {
  await guarded(async () => {
    if (keep === undefined) return clear(store())
    const all = await keys<string>(store())
    await delMany(
      all.filter((key) => !key.startsWith(`${prefixOf(keep)}-`)),
      store(),
    )
    await persisterFor(currentIdentity(), keep).persisterGc()
  })
}
