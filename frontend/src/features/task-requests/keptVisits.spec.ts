import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { actAs } from '@/shared/api/identity'
import { setToken } from '@/shared/api/token'
import { getRequestChecklistQueryKey, getRequestQueryKey } from '@/shared/api/generated'
import { marketToday, shiftDay, weekOf } from '@/shared/lib/marketTime'
import { dropAnswers, keptAnswer } from '@/shared/offline/keptAnswers'
import { answer, type Seen } from '@/shared/testing/server'
import { keepVisits } from './keptVisits'
import { agendaOptions } from './useAgenda'

const today = marketToday()
const week = weekOf(today)
const visit = (id: number, updated_at: string, status = 'accepted') => ({ id, status, updated_at })

function serve(...requests: ReturnType<typeof visit>[]): Seen[] {
  const day = (date: string) => ({
    date,
    hours: [],
    exception: false,
    requests: date === today ? requests : [],
  })
  const days = [shiftDay(today, -8), ...week, shiftDay(today, 8)]
  answer('get', '/me/agenda', [200, { items: days.map(day), timezone: 'Asia/Kolkata' }])
  answer('get', '/requests/:id/checklist', [200, { items: [] }])
  return requests.flatMap((one) =>
    answer('get', `/requests/${one.id}`, [200, { ...one, address: 'Somewhere' }]),
  )
}
const kept = (request_id: number) =>
  keptAnswer<{ updated_at: string }>(getRequestQueryKey({ path: { request_id } }))

describe('keepVisits', () => {
  beforeEach(() => {
    actAs(7)
    setToken('abc')
  })
  afterEach(() => dropAnswers())

  it('keeps the schedule and the accepted requests of the days to come, none of which was opened', async () => {
    serve(visit(1, 'a'), visit(2, 'a', 'completed'))
    await keepVisits()
    expect(await kept(1)).toMatchObject({ address: 'Somewhere' })
    expect(await kept(2)).toBeUndefined()
    expect(await keptAnswer(getRequestChecklistQueryKey({ path: { request_id: 1 } }))).toEqual({ items: [] })
    expect(await keptAnswer(agendaOptions(week[0] ?? '', week[6] ?? '').queryKey)).toBeDefined()
  })

  it('asks again only for what has changed', async () => {
    serve(visit(1, 'a'), visit(3, 'a'))
    await keepVisits()
    const unchanged = answer('get', '/requests/1', [500])
    serve(visit(3, 'b'))
    const again = answer('get', '/me/agenda', [
      200,
      {
        items: [{ date: today, hours: [], exception: false, requests: [visit(1, 'a'), visit(3, 'b')] }],
        timezone: 'Asia/Kolkata',
      },
    ])
    await keepVisits()
    expect(again.length).toBeGreaterThan(0)
    expect(unchanged).toHaveLength(0)
    expect(await kept(3)).toMatchObject({ updated_at: 'b' })
  })

  it('stops where a call fails, and keeps what it has', async () => {
    serve(visit(1, 'a'), visit(4, 'a'))
    answer('get', '/requests/4', [503])
    await expect(keepVisits()).rejects.toBeDefined()
    expect(await kept(1)).toBeDefined()
    expect(await kept(4)).toBeUndefined()
  })

  it('keeps nothing of an account that has left', async () => {
    serve(visit(1, 'a'))
    const keeping = keepVisits()
    actAs(null)
    await keeping.catch(() => undefined)
    actAs(7)
    expect(await kept(1)).toBeUndefined()
  })
})
