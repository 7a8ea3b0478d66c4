/** Live updates for the account that is signed in; visitors load none of it. */
import { onScopeDispose, watch } from 'vue'
import { resync, type LiveEvent } from '@/shared/live/topics'
import { useSession } from '@/shared/session/store'

/** A request that is named is one of the account's own, or was; an event without an id is about those that are open to many. */
function noteVisit({ topic, id }: LiveEvent): void {
  if (topic !== resync && (topic !== 'requests' || id === null)) return
  void import('./offline').then(({ visitsChanged }) => visitsChanged()).catch(() => undefined)
}

export function connectLiveUpdates(): void {
  const session = useSession()
  let stop: (() => void) | undefined

  async function start(account: number): Promise<void> {
    const [{ startLive }, { queryClient }] = await Promise.all([
      import('@/shared/live/stream'),
      import('@/shared/lib/queryClient'),
    ])
    if (session.user?.id !== account) return
    stop?.()
    const reloadAccount = (): void => void session.reload().catch(() => undefined)
    stop = startLive({ client: queryClient, account, reloadAccount, changed: noteVisit })
  }
  function end(): void {
    stop?.()
    stop = undefined
  }

  watch(
    () => session.user?.id,
    (account) => {
      end()
      // Without it pages poll: that a part of the application did not arrive need not be said.
      if (account !== undefined) void start(account).catch(() => undefined)
    },
    { immediate: true, flush: 'sync' },
  )
  onScopeDispose(end)
}
