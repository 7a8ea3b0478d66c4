import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Unsent } from './unsent'

type Queue = typeof import('./actionQueue')

/** A tab has modules, and so an account, of its own; what is kept is the browser's. */
async function tab(account = 7) {
  vi.resetModules()
  const queue: Queue = await import('./actionQueue')
  const { unsent } = await import('./unsent')
  const { actAs } = await import('@/shared/api/identity')
  actAs(account)
  const sent: { one: Unsent; at: number | null }[] = []
  const answers: (() => Promise<string | null>)[] = []
  const changed = vi.fn(() => Promise.resolve())
  const close = queue.open({
    send: (one, at) => {
      sent.push({ one, at })
      return (answers.shift() ?? (() => Promise.resolve(null)))()
    },
    changed,
  })
  closing.push(close)
  const add = (action: Unsent['action'], more: Partial<Unsent> = {}) =>
    queue.add({ request: 3, task: 'Plumbing', after: null, action, ...more })
  return {
    ...queue,
    unsent,
    actAs,
    sent,
    answers,
    changed,
    close,
    add,
    did: () => sent.map(({ one }) => one.action),
  }
}

const closing: (() => void)[] = []
const refusal = (status: number, code: string) => () =>
  Promise.reject({ isAxiosError: true, response: { status, data: { code }, headers: {} } })
const lost = () => Promise.reject({ isAxiosError: true })
let isOnline = true
function connect(online: boolean): void {
  isOnline = online
  window.dispatchEvent(new Event(online ? 'online' : 'offline'))
}

beforeEach(() => {
  isOnline = true
  vi.spyOn(navigator, 'onLine', 'get').mockImplementation(() => isOnline)
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  for (const close of closing.splice(0)) close()
  for (const account of [7, 8]) {
    const { clear } = await tab(account)
    await clear()
  }
  for (const close of closing.splice(0)) close()
})

describe('actionQueue', () => {
  it('sends an action at once, as done now, and keeps nothing of it', async () => {
    const { add, sent, unsent, flush } = await tab()
    expect(await add('arrive')).toBe('sent')
    await flush()
    expect(sent.map(({ at }) => at)).toEqual([null])
    expect(unsent.items).toEqual([])
  })

  it('keeps what is done offline, and sends it once in its order with the times at which it was done', async () => {
    const { add, did, sent, unsent, changed } = await tab()
    connect(false)
    const before = Date.now()
    expect(await add('start', { code: '1234' })).toBe('waiting')
    expect(await add('complete')).toBe('waiting')
    const after = Date.now()
    expect(unsent.items.map(({ action }) => action)).toEqual(['start', 'complete'])
    expect(sent).toEqual([])
    connect(true)
    connect(true)
    await vi.waitFor(() => expect(unsent.items).toEqual([]))
    expect(did()).toEqual(['start', 'complete'])
    for (const { at } of sent) {
      expect(at).toBeGreaterThanOrEqual(before - 1000)
      expect(at).toBeLessThanOrEqual(after)
    }
    expect(changed).toHaveBeenCalledTimes(1)
  })

  it('is still there after the page was loaded again', async () => {
    const first = await tab()
    connect(false)
    await first.add('arrive')
    first.close()
    connect(true)
    const { did, follow, unsent } = await tab()
    await follow()
    expect(did()).toEqual(['arrive'])
    expect(unsent.items).toEqual([])
  })

  it('sends an action whose answer was lost under the same key, and takes it as sent where it had arrived', async () => {
    const { add, answers, sent, unsent, flush } = await tab()
    answers.push(lost, refusal(422, 'idempotency_key_reused'))
    expect(await add('arrive')).toBe('waiting')
    await flush()
    expect(sent.map(({ at }) => at === null)).toEqual([true, false])
    expect(new Set(sent.map(({ one }) => one.key)).size).toBe(1)
    expect(unsent.items).toEqual([])
  })

  it('throws a refusal to the page that waits for it, and keeps nothing', async () => {
    const { add, answers, unsent, flush } = await tab()
    answers.push(refusal(422, 'wrong_code'))
    await expect(add('start')).rejects.toMatchObject({ response: { data: { code: 'wrong_code' } } })
    await flush()
    expect(unsent.items).toEqual([])
  })

  it('stops what follows a refused action of the same request, until that is corrected or discarded', async () => {
    const { add, answers, did, sent, unsent, retry, remove, flush } = await tab()
    connect(false)
    await add('start', { code: '1111' })
    await add('complete')
    await add('arrive', { request: 4 })
    answers.push(refusal(422, 'wrong_code'))
    connect(true)
    await vi.waitFor(() => expect(unsent.items).toHaveLength(2))
    expect(did()).toEqual(['start', 'arrive'])
    expect(unsent.items[0]?.refused?.code).toBe('wrong_code')
    expect(await add('running_late')).toBe('waiting')

    answers.push(refusal(409, 'invalid_transition'))
    await retry(unsent.items[0]?.key ?? '', { code: '1234' })
    await flush()
    expect(sent.at(-1)?.one.code).toBe('1234')
    expect(unsent.items[0]?.refused?.code).toBe('invalid_transition')
    await remove(unsent.items[0]?.key ?? '')
    expect(did().slice(3)).toEqual(['complete', 'running_late'])
    expect(unsent.items).toEqual([])
  })

  it('reports no time before what the server has recorded of the action before', async () => {
    const { add, answers, sent } = await tab()
    connect(false)
    await add('start')
    await add('complete')
    const recorded = new Date(Date.now() - 10).toISOString()
    answers.push(() => Promise.resolve(recorded))
    connect(true)
    await vi.waitFor(() => expect(sent).toHaveLength(2))
    expect(sent[1]?.at).toBeGreaterThan(Date.parse(recorded))
  })

  it('neither shows nor sends an action as another account', async () => {
    const { add, actAs, follow, flush, did, unsent } = await tab()
    connect(false)
    await add('arrive')
    actAs(8)
    await follow()
    expect(unsent.items).toEqual([])
    connect(true)
    await flush()
    expect(did()).toEqual([])
    actAs(7)
    await follow()
    expect(did()).toEqual(['arrive'])
  })

  it('sends nothing more once its account has left', async () => {
    const { add, actAs, answers, did, flush } = await tab()
    connect(false)
    await add('start')
    await add('complete')
    answers.push(() => {
      actAs(8)
      return Promise.resolve(null)
    })
    connect(true)
    await flush()
    expect(did()).toEqual(['start'])
  })

  it('is sent by one of two tabs', async () => {
    let last: Promise<unknown> = Promise.resolve()
    const inTurn = (_: string, __: object, work: () => Promise<void>) => (last = last.then(work, work))
    vi.stubGlobal('navigator', {
      locks: { request: inTurn },
      get onLine() {
        return isOnline
      },
    })
    const one = await tab()
    const other = await tab()
    connect(false)
    await one.add('arrive')
    await other.follow()
    expect(other.unsent.items).toHaveLength(1)
    connect(true)
    await Promise.all([one.flush(), other.flush()])
    expect([...one.did(), ...other.did()]).toEqual(['arrive'])
    await vi.waitFor(() => expect(other.unsent.items).toEqual([]))
  })

  it('tries again by itself after a failure of the server, as late as that asks', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { add, answers, did } = await tab()
      answers.push(refusal(503, 'unavailable'))
      expect(await add('arrive')).toBe('waiting')
      await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0))
      await vi.advanceTimersByTimeAsync(5_000)
      await vi.waitFor(() => expect(did()).toEqual(['arrive', 'arrive']))
    } finally {
      vi.useRealTimers()
    }
  })

  it('forgets what was not sent when the user signs out', async () => {
    const { add, clear, flush, did, unsent } = await tab()
    connect(false)
    await add('arrive')
    await clear()
    connect(true)
    await flush()
    expect([did(), unsent.items]).toEqual([[], []])
  })

  it('sends at once or not at all where the browser keeps nothing', async () => {
    const { add, answers, did } = await tab()
    vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('not here', 'SecurityError')
    })
    expect(await add('arrive')).toBe('sent')
    answers.push(lost)
    await expect(add('start')).rejects.toMatchObject({ isAxiosError: true })
    expect(did()).toEqual(['arrive', 'start'])
  })
})
