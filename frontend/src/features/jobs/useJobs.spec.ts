import { describe, expect, it } from 'vitest'
import type { Run } from '@/shared/api/generated'
import { fingerprintOf } from './useJobs'

const run = (id: number, status: Run['status'], sent = 0) => ({ id, status, sent, failed: 0 }) as Run

describe('fingerprintOf', () => {
  it('covers running jobs and changes with their progress', () => {
    expect(fingerprintOf([null, run(1, 'done'), run(2, 'failed')])).toBeNull()
    expect(fingerprintOf([run(3, 'running', 1)])).not.toEqual(fingerprintOf([run(3, 'running', 2)]))
    expect(fingerprintOf([run(3, 'queued')])).not.toBeNull()
  })
})
