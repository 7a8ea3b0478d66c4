import { AxiosError, AxiosHeaders } from 'axios'
import { describe, expect, it } from 'vitest'
import { KnownProblem, readRefusal, toProblem } from './problem'

function failed(status: number, data: unknown, headers: Record<string, string> = {}): AxiosError {
  const config = { headers: new AxiosHeaders() }
  return new AxiosError('failed', undefined, config, {}, { status, data, headers, statusText: '', config })
}

describe('toProblem', () => {
  it('keeps code, field errors and Retry-After', () => {
    const problem = toProblem(
      failed(
        429,
        { code: 'too_many_tries', detail: 'Wait', errors: { username: ['no', 'never'], email: 'odd' } },
        { 'retry-after': '90' },
      ),
    )
    expect(problem).toEqual({
      status: 429,
      code: 'too_many_tries',
      detail: 'Wait',
      errors: { username: ['no', 'never'], email: ['odd'] },
      retryAfter: 90,
    })
  })

  it('reads the error of a file download', async () => {
    const error = failed(
      410,
      new Blob(['{"code":"export_expired","detail":"Too old"}'], { type: 'application/problem+json' }),
    )
    await readRefusal(error)
    expect(toProblem(error)).toMatchObject({ status: 410, code: 'export_expired', detail: 'Too old' })
    const broken = failed(502, new Blob(['{'], { type: 'application/json' }))
    await readRefusal(broken)
    expect(toProblem(broken)).toMatchObject({ status: 502, code: 'status_502' })
  })

  it('keeps the code of a known problem', () => {
    expect(toProblem(new KnownProblem('sign_up_done'))).toMatchObject({ status: -1, code: 'sign_up_done' })
  })

  it('handles responses that are no problem document, and other errors', () => {
    expect(toProblem(failed(502, '<html>'))).toMatchObject({ status: 502, code: 'status_502', errors: {} })
    expect(toProblem(failed(422, { errors: ['x'] }))).toMatchObject({ errors: { 0: ['x'] } })
    expect(toProblem(new AxiosError('Network Error'))).toMatchObject({ status: 0, code: 'no_answer' })
    expect(toProblem(new TypeError('bug'))).toMatchObject({ status: -1, code: 'unknown' })
  })
})
