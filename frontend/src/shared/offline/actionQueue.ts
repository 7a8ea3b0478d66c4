/**
 * Actions that are kept on this device until the server has answered: in their order, each under a key of its own, so that
 * none counts twice. Only a page sends them, and only as the account that took them.
 */
import { createStore, get, update, type UseStore } from 'idb-keyval'
import { AccountChanged, currentIdentity, isCurrent } from '@/shared/api/identity'
import { KnownProblem, toProblem, type Problem } from '@/shared/api/problem'
import { toServerTime } from '@/shared/lib/serverClock'
import { reportError } from '@/shared/lib/appStatus'
import { oneTabAtATime } from '@/shared/lib/tabLock'
import { uuid } from '@/shared/lib/uuid'
import { unsent, type Unsent } from './unsent'

export type NewAction = Omit<Unsent, 'key' | 'account' | 'at' | 'refused'>
export type Outcome = 'sent' | 'waiting'

export interface Sender {
  /**
   * Send one action, with the time at which it was done, in milliseconds by the server's clock; null: it is done now.
   * Returns the time that the server has recorded.
   */
  send: (action: Unsent, at: number | null) => Promise<string | null>
  /** Read again what the sent actions changed. */
  changed: () => Promise<unknown>
}

/** In milliseconds: what is older says nothing that the server accepts. */
const maxAge = 7 * 24 * 60 * 60 * 1000
/** How long a page waits for the first attempt before it shows the action as not sent yet. */
const patience = 6_000
const firstWait = 5_000
const lastWait = 60_000

let opened: UseStore | undefined
const store = (): UseStore => (opened ??= createStore('doorstep-actions', 'actions'))
const nameOf = (account: number): string => `account-${account}`

let sender: Sender | null = null
let channel: BroadcastChannel | null = null
/** Actions whose page waits for their first attempt, by key. */
const attended = new Map<string, (outcome: Outcome | { error: unknown }) => void>()

async function read(account: number): Promise<Unsent[]> {
  const kept = (await get<Unsent[]>(nameOf(account), store())) ?? []
  return kept.filter(({ at }) => at > Date.now() - maxAge)
}

type Edit = (all: Unsent[]) => Unsent[]

async function change(account: number, edit: Edit): Promise<void> {
  await update<Unsent[]>(nameOf(account), (all) => edit(all ?? []), store())
}

/** Show what is kept, here and in the other tabs. */
async function publish({ elsewhere = true } = {}): Promise<void> {
  const { account } = currentIdentity()
  const all = account === null ? [] : await read(account)
  if (currentIdentity().account !== account) return
  unsent.items = all.filter(({ key }) => !attended.has(key))
  if (elsewhere) channel?.postMessage(account)
}

/** The next one to send: what waits behind a refused one of the same request is left out. */
function nextOf(all: Unsent[]): Unsent | undefined {
  const stopped = new Set<number>()
  return all.find(({ refused, request }) => {
    if (refused) stopped.add(request)
    return !stopped.has(request)
  })
}

/** Whether the action may still arrive, or have arrived: there was no answer, or not a final one. */
function isOpen({ status, code }: Problem): boolean {
  if (code === 'still_running' || code === 'account_blocked' || status === 401) return true
  return status <= 0 || status >= 500 || (status === 429 && code !== 'too_many_tries')
}

/** When it was done, by the server's clock: never before what came before it, nor later than now. */
function timeOf({ at, after }: Unsent): number {
  // The server's times are finer than a millisecond.
  const first = after === null ? 0 : Date.parse(after) + 1
  return Math.max(first, Math.min(toServerTime(at), toServerTime(Date.now())))
}

/** Remove what was sent; what follows it cannot precede it. */
const sentAt = (sent: Unsent, time: string | null) => (all: Unsent[]) =>
  all
    .filter(({ key }) => key !== sent.key)
    .map((one) => (time !== null && one.request === sent.request ? { ...one, after: time } : one))

/** Send one action and note the result. Throws what leaves that open. */
async function sendOne(action: Unsent, { send }: Sender): Promise<void> {
  const { account, key } = action
  let time: string | null = null
  try {
    time = await send(action, attended.has(key) ? null : timeOf(action))
  } catch (error) {
    const problem = toProblem(error)
    // If the key was used, the action had arrived before, when its time was not reported yet.
    if (problem.code !== 'idempotency_key_reused') {
      if (error instanceof AccountChanged || isOpen(problem)) throw error
      return refuse(action, error, problem)
    }
  }
  await change(account, sentAt(action, time))
  attended.get(key)?.('sent')
}

/** A page that waits for the answer tells the user itself; else the action stays, with the reason. */
async function refuse({ account, key }: Unsent, error: unknown, refused: Problem): Promise<void> {
  const settle = attended.get(key)
  await change(account, (all) =>
    settle
      ? all.filter((one) => one.key !== key)
      : all.map((one) => (one.key === key ? { ...one, refused } : one)),
  )
  settle?.({ error })
}

async function sendAll(): Promise<void> {
  const identity = currentIdentity()
  const { account } = identity
  if (account === null || !sender) return
  let isChanged = false
  try {
    for (;;) {
      const all = await read(account)
      const next = nextOf(all)
      if (!isCurrent(identity)) return
      if (!next) {
        for (const { key } of all) attended.get(key)?.('waiting')
        return
      }
      if (!navigator.onLine) throw new KnownProblem('offline')
      const isAttended = attended.has(next.key)
      await sendOne(next, sender)
      isChanged ||= !isAttended
    }
  } finally {
    // Until the pages have read what is new, they show what was kept.
    if (isChanged && isCurrent(identity)) await sender.changed().catch(() => undefined)
  }
}

let wait = firstWait
let timer: ReturnType<typeof setTimeout> | undefined
let running: Promise<void> | null = null
let again = false

async function flushOnce(): Promise<void> {
  clearTimeout(timer)
  again = false
  try {
    await oneTabAtATime('doorstep-actions', sendAll)
    wait = firstWait
  } catch (error) {
    for (const settle of attended.values()) settle('waiting')
    if (!(error instanceof AccountChanged)) {
      const { status, retryAfter: seconds } = toProblem(error)
      if (status < 0 && !(error instanceof KnownProblem)) reportError(error)
      timer = setTimeout(() => void flush(), seconds === null ? wait : seconds * 1000)
      wait = Math.min(lastWait, wait * 2)
    }
  }
  await publish()
}

/** Send what waits. Never throws: what could not be sent is still there. */
export async function flush(): Promise<void> {
  again = true
  running ??= (async () => {
    try {
      while (again) await flushOnce()
    } catch {
      // The browser no longer gives access to what is kept.
    } finally {
      running = null
    }
  })()
  await running
}

/** Note that a page waits for the first attempt of an action, for a few seconds. */
function attend(key: string): Promise<Outcome | { error: unknown }> {
  return new Promise((resolve) => {
    const timeout = setTimeout(() => attended.get(key)?.('waiting'), patience)
    attended.set(key, (what) => {
      clearTimeout(timeout)
      attended.delete(key)
      resolve(what)
    })
  })
}

/**
 * Keep an action, and send it.
 *
 * Throws the server's refusal where the page waited for it; then nothing is kept. Where the browser keeps nothing, the action is
 * sent at once or not at all.
 */
export async function add(action: NewAction): Promise<Outcome> {
  const { account } = currentIdentity()
  if (account === null || !sender) throw new AccountChanged()
  const one: Unsent = { ...action, key: uuid(), account, at: Date.now() }
  const outcome = attend(one.key)
  try {
    await change(account, (all) => [...all, one])
  } catch {
    attended.get(one.key)?.('waiting')
    await sender.send(one, null)
    return 'sent'
  }
  void flush()
  const what = await outcome
  if (typeof what === 'object') throw what.error
  if (what === 'waiting') await publish()
  return what
}

/** Send a refused action once more, as it is or corrected. */
export async function retry(key: string, correction: Pick<Unsent, 'code'> = {}): Promise<void> {
  await changeAndSend((all) =>
    all.map((one) => (one.key === key ? { ...one, ...correction, refused: undefined } : one)),
  )
}

/** Discard one action; what waited behind it is sent. */
export async function remove(key: string): Promise<void> {
  await changeAndSend((all) => all.filter((one) => one.key !== key))
}

async function changeAndSend(edit: Edit): Promise<void> {
  const { account } = currentIdentity()
  if (account === null) return
  await change(account, edit)
  await publish()
  await flush()
}

/** Forget what the account that is signed in has not sent. */
export async function clear(): Promise<void> {
  const { account } = currentIdentity()
  if (account === null) return
  clearTimeout(timer)
  await change(account, () => [])
  await publish()
}

/** Another account, or none, is signed in, or the same one again: show and send what is its own. */
export async function follow(): Promise<void> {
  await publish({ elsewhere: false }).catch(() => undefined)
  if (unsent.items.length) await flush()
}

/** From now on actions can be kept; they are sent whenever that may be possible. Returns what ends it. */
export function open(as: Sender): () => void {
  sender = as
  const ties = new AbortController()
  const { signal } = ties
  const now = () => void (unsent.items.length && flush())
  if ('BroadcastChannel' in globalThis) {
    channel = new BroadcastChannel('doorstep-actions')
    channel.addEventListener('message', () => void hear(as))
  }
  window.addEventListener('online', now, { signal })
  document.addEventListener('visibilitychange', () => void (document.hidden || now()), { signal })
  return () => {
    ties.abort()
    clearTimeout(timer)
    channel?.close()
    channel = null
    sender = null
    unsent.items = []
  }
}

/** Another tab has kept or sent something. */
async function hear({ changed }: Sender): Promise<void> {
  const before = unsent.items.length
  await publish({ elsewhere: false })
  if (unsent.items.length < before) await changed().catch(() => undefined)
}
