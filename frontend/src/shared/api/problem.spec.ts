import { AxiosError, AxiosHeaders } from 'axios'
import { describe, expect, it } from 'vitest'
import { toProblem } from './problem'

function failed(status: number, data: unknown, headers: Record<string, string> = {}): AxiosError {
  const config = { headers: new AxiosHeaders() }
  return new AxiosError('failed', undefined, config, {}, { status, data, headers, statusText: '', config })
}

describe('toProblem', () => {
  it('keeps code, fields and the wait', () => {
    const problem = toProblem(failed(429, { code: 'too_many_tries', detail: 'Wait', errors: { username: ['no', 'never'], email: 'odd' } }, { 'retry-after': '90' }))
    expect(problem).toEqual({ status: 429, code: 'too_many_tries', detail: 'Wait', errors: { username: ['no', 'never'], email: ['odd'] }, retryAfter: 90 })
  })

  it('makes do with what is no problem document', () => {
    expect(toProblem(failed(502, '<html>'))).toMatchObject({ status: 502, code: 'status_502', errors: {} })
    expect(toProblem(failed(422, { errors: ['x'] }))).toMatchObject({ errors: { 0: ['x'] } })
    expect(toProblem(new AxiosError('Network Error'))).toMatchObject({ status: 0, code: 'no_answer' })
    expect(toProblem(new TypeError('bug'))).toMatchObject({ status: -1, code: 'unknown' })
  })
})
