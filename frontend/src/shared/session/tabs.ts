/** Messages between the tabs of a browser, which share the session cookie. Received messages are never passed on. */

export interface SessionNews {
  kind: 'signed-in' | 'signed-out'
  account: number
}

let channel: BroadcastChannel | null = null

function isNews(data: unknown): data is SessionNews {
  const { kind, account } = (typeof data === 'object' && data !== null ? data : {}) as Partial<
    Record<keyof SessionNews, unknown>
  >
  return (kind === 'signed-in' || kind === 'signed-out') && typeof account === 'number'
}

/** Listens from now on; returns what ends it. */
export function joinTabs(hear: (news: SessionNews) => void): () => void {
  if (!('BroadcastChannel' in globalThis)) return () => undefined
  const joined = new BroadcastChannel('doorstep-session')
  joined.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (isNews(data)) hear(data)
  })
  channel = joined
  return () => {
    joined.close()
    if (channel === joined) channel = null
  }
}

export function announce(news: SessionNews): void {
  channel?.postMessage(news)
}
