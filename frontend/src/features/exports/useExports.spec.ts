import { describe, expect, it } from 'vitest'
import { fileName, fingerprint } from './useExports'

const one = (id: number, status: 'queued' | 'running' | 'done' | 'failed', progress = 0) => ({
  id,
  status,
  progress,
  rows: progress * 10,
})

describe('fingerprint', () => {
  it('covers running exports only and changes with their progress', () => {
    expect(fingerprint([one(1, 'done', 100), one(2, 'failed')])).toBeNull()
    expect(fingerprint([one(1, 'done', 100), one(3, 'running', 20)])).not.toEqual(
      fingerprint([one(3, 'running', 30)]),
    )
    expect(fingerprint([one(3, 'queued')])).not.toEqual(fingerprint([one(3, 'running')]))
  })
})

describe('fileName', () => {
  it("uses the server's file name, or a default", () => {
    expect(fileName('attachment; filename="closed.csv"', 4)).toBe('closed.csv')
    expect(fileName("attachment; filename=x.csv; filename*=UTF-8''caf%C3%A9.csv", 4)).toBe('café.csv')
    expect(fileName('attachment; filename="../../x.csv"', 4)).toBe('..-..-x.csv')
    expect(fileName(undefined, 4)).toBe('doorstep-export-4.csv')
  })
})
