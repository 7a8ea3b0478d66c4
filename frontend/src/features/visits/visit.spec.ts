import { describe, expect, it } from 'vitest'
import type { TaskRequestDetail } from '@/shared/api/types'
import type { Unsent } from '@/shared/offline/unsent'
import { confirmedAt, expectedAt, hasVisit, lastStep, nextSteps, undoableUntil, withUnsent } from './visit'

const none = { on_the_way_at: null, arrived_at: null, started_at: null, eta_at: null, on_time_at: null }
const at = '2026-12-01T10:00:00+05:30'
const request = (more: object) => ({ ...none, status: 'accepted', ...more }) as unknown as TaskRequestDetail

describe('visit', () => {
  it('knows the last step, whichever were skipped', () => {
    expect(lastStep(none)).toBeUndefined()
    expect(lastStep({ ...none, on_the_way_at: at })).toBe('on_the_way')
    expect(lastStep({ ...none, started_at: at })).toBe('start')
  })

  it('offers the allowed steps in their order', () => {
    expect(nextSteps({ visit_actions: ['start', 'on_the_way'] })).toEqual(['on_the_way', 'start'])
  })

  it('shows the estimate until the arrival', () => {
    expect(expectedAt({ ...none, eta_at: at })).toBe(at)
    expect(expectedAt({ ...none, eta_at: at, arrived_at: at })).toBeNull()
    expect(expectedAt({ ...none, eta_at: at, started_at: at })).toBeNull()
  })

  it('counts two minutes from the receipt of the last step', () => {
    const history = [
      { action: 'on_the_way', at: '2026-12-01T04:00:00Z' },
      { action: 'arrive', at: '2026-12-01T04:30:00Z' },
      { action: 'edit', at: '2026-12-01T04:31:00Z' },
    ]
    const until = undoableUntil(request({ history, visit_actions: ['undo_step'] }))
    expect(new Date(until ?? 0).toISOString()).toBe('2026-12-01T04:32:00.000Z')
    expect(undoableUntil(request({ history, visit_actions: ['start'] }))).toBeNull()
  })

  it('stands on accepted requests, and afterwards where a step was taken', () => {
    expect(hasVisit(request({}))).toBe(true)
    expect(hasVisit(request({ status: 'requested' }))).toBe(false)
    expect(hasVisit(request({ status: 'closed' }))).toBe(false)
    expect(hasVisit(request({ status: 'closed', arrived_at: at }))).toBe(true)
  })
})

describe('withUnsent', () => {
  const done = (action: Unsent['action'], more: Partial<Unsent> = {}): Unsent => ({
    key: action,
    account: 7,
    request: 3,
    task: 'Plumbing',
    at: Date.parse(at),
    after: null,
    action,
    ...more,
  })
  const open = request({
    completed_at: null,
    allowed_actions: ['release'],
    visit_actions: ['on_time', 'on_the_way', 'running_late', 'arrive', 'start', 'undo_step'],
  })

  it('confirms a visit until it is late or under way', () => {
    const confirmed = withUnsent(open, [done('on_time')])
    expect(confirmedAt(confirmed)).toBe(new Date(at).toISOString())
    expect(confirmed.visit_actions).toContain('on_time')
    const late = withUnsent(open, [done('on_time'), done('running_late', { minutes: 30 })])
    expect([confirmedAt(late), expectedAt(late) === null]).toEqual([null, false])
    const left = withUnsent(open, [done('on_time'), done('on_the_way')])
    expect([confirmedAt(left), left.visit_actions.includes('on_time')]).toEqual([null, false])
  })

  it('goes on to what may follow', () => {
    const arrived = withUnsent(open, [done('on_the_way', { minutes: 15 }), done('arrive')])
    expect(Date.parse(arrived.eta_at ?? '') - Date.parse(at)).toBe(15 * 60_000)
    expect(arrived.arrived_at).not.toBeNull()
    expect([arrived.visit_actions, arrived.allowed_actions]).toEqual([['start'], ['release']])
    const started = withUnsent(open, [done('start', { code: '1234' })])
    expect([started.visit_actions, started.allowed_actions]).toEqual([[], ['release', 'complete']])
    const completed = withUnsent(open, [done('start'), done('complete')])
    expect([completed.visit_actions, completed.allowed_actions]).toEqual([[], []])
  })

  it('leaves the request as it is while only ticks of its checklist wait', () => {
    expect(withUnsent(open, [done('tick', { point: 1, done: true })])).toBe(open)
    const started = withUnsent(open, [done('tick', { point: 1, done: true }), done('start')])
    expect(started.started_at).not.toBeNull()
  })

  it('offers nothing behind what was refused', () => {
    const refused = { status: 422, code: 'wrong_code', detail: '', errors: {}, retryAfter: null }
    const stopped = withUnsent(open, [done('arrive'), done('start', { refused }), done('complete')])
    expect(stopped.arrived_at).not.toBeNull()
    expect(stopped.started_at).toBeNull()
    expect([stopped.visit_actions, stopped.allowed_actions]).toEqual([[], []])
    const tick = done('tick', { point: 1, done: true, refused })
    expect(withUnsent(open, [tick, done('start')]).started_at).toBeNull()
  })

  it('leaves a request that has ended as the server has it', () => {
    const ended = request({ status: 'cancelled' })
    expect(withUnsent(ended, [done('arrive')])).toBe(ended)
  })
})
