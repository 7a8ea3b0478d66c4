import { describe, expect, it } from 'vitest'
import { createExport } from '@/shared/api/generated'
import { answer } from '@/shared/testing/server'
import { useIdempotencyKey } from './useIdempotencyKey'

const send = (key: string) => createExport({ body: {}, headers: { 'Idempotency-Key': key } })

/** What each of the answers does to the key: the keys of the calls, by the letter of their first use. */
async function keysAfter(...answers: Parameters<typeof answer>[2][]): Promise<string> {
  const seen = answer('post', '/exports', ...answers)
  const { sendOnce } = useIdempotencyKey()
  for (let calls = 0; calls < answers.length; calls += 1) await sendOnce(send).catch(() => undefined)
  const keys = seen.map((one) => one.headers.get('idempotency-key'))
  return keys.map((key) => 'abcdef'[[...new Set(keys)].indexOf(key)]).join('')
}

describe('useIdempotencyKey', () => {
  it('keeps its key while the outcome is unknown', async () => {
    expect(await keysAfter([500], [502], [503], [504], [409, { code: 'still_running' }], [202, {}])).toBe(
      'aaaaaa',
    )
  })

  it('keeps its key after a rejection, as the server stored nothing', async () => {
    expect(
      await keysAfter(
        [422, { code: 'invalid_fields' }],
        [409, { code: 'overlapping_request' }],
        [429],
        [202, {}],
      ),
    ).toBe('aaaa')
  })

  it('uses a new key for the next request, and when an earlier version was stored under this key', async () => {
    expect(await keysAfter([202, {}], [422, { code: 'idempotency_key_reused' }], [202, {}], [202, {}])).toBe(
      'abcd',
    )
  })
})
