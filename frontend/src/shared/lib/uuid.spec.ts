import { afterEach, expect, it, vi } from 'vitest'
import { uuid } from './uuid'

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
afterEach(() => vi.unstubAllGlobals())

it('is random, with or without a secure connection', () => {
  const { crypto } = globalThis
  expect(uuid()).toMatch(form)
  vi.stubGlobal('crypto', {
    getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes),
  })
  const some = Array.from({ length: 50 }, () => uuid())
  expect(new Set(some).size).toBe(50)
  for (const one of some) expect(one).toMatch(form)
})
