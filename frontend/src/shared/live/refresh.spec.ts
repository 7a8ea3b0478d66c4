import { QueryClient } from '@tanstack/vue-query'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { refreshFrom } from './refresh'

const keyOf = (id: string, tag: string) => [{ _id: id, tags: [tag] }]
const event = (topic: string, id: number | null = 1) => ({ topic, id, version: null })

function setUp() {
  const client = new QueryClient()
  client.setQueryData(keyOf('listRequests', 'Requests'), 1)
  client.setQueryData(keyOf('getStats', 'Dashboard'), 1)
  client.setQueryData(keyOf('listTasks', 'Tasks'), 1)
  const stale = (id: string, tag: string) => client.getQueryState(keyOf(id, tag))?.isInvalidated
  const reload = vi.fn()
  return { client, stale, reload, refresh: refreshFrom(client, reload, () => 1) }
}

describe('refreshFrom', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('makes stale what an event is about and nothing else', () => {
    const { refresh, stale, reload } = setUp()
    refresh.hear(event('requests'))
    vi.advanceTimersByTime(60)
    expect([stale('listRequests', 'Requests'), stale('listTasks', 'Tasks')]).toEqual([true, false])
    expect(reload).not.toHaveBeenCalled()
  })

  it('reads once for many events', () => {
    const { refresh, client } = setUp()
    const invalidated = vi.spyOn(client, 'invalidateQueries')
    for (let id = 0; id < 50; id += 1) refresh.hear(event('notifications', id))
    vi.advanceTimersByTime(60)
    expect(invalidated).toHaveBeenCalledOnce()
  })

  it('spreads out what many clients hear at the same time', () => {
    const { refresh, stale } = setUp()
    refresh.hear(event('requests', null))
    vi.advanceTimersByTime(900)
    expect(stale('listRequests', 'Requests')).toBe(false)
    vi.advanceTimersByTime(100)
    expect(stale('listRequests', 'Requests')).toBe(true)
  })

  it('reads statistics once a minute however many requests change', () => {
    const { refresh, client } = setUp()
    const invalidated = vi.spyOn(client, 'invalidateQueries')
    refresh.hear(event('requests'))
    vi.advanceTimersByTime(60)
    client.setQueryData(keyOf('getStats', 'Dashboard'), 2)
    refresh.hear(event('requests'))
    vi.advanceTimersByTime(1_000)
    expect(client.getQueryState(keyOf('getStats', 'Dashboard'))?.isInvalidated).toBe(false)
    vi.advanceTimersByTime(60_000)
    expect(client.getQueryState(keyOf('getStats', 'Dashboard'))?.isInvalidated).toBe(true)
    expect(invalidated).toHaveBeenCalledTimes(3)
  })

  it('reads everything and the account after a gap', () => {
    const { refresh, stale, reload } = setUp()
    refresh.hear(event('resync', null))
    vi.advanceTimersByTime(2_100)
    expect([stale('listRequests', 'Requests'), stale('listTasks', 'Tasks')]).toEqual([true, true])
    expect(reload).toHaveBeenCalledOnce()
  })

  it('ignores topics of a later version, and stops', () => {
    const { refresh, client } = setUp()
    const invalidated = vi.spyOn(client, 'invalidateQueries')
    refresh.hear(event('something new'))
    refresh.hear(event('requests'))
    refresh.stop()
    vi.advanceTimersByTime(60_000)
    expect(invalidated).not.toHaveBeenCalled()
  })
})
