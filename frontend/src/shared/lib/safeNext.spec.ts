import { describe, expect, it } from 'vitest'
import { safeNext } from './safeNext'

describe('safeNext', () => {
  it('accepts only paths of the application', () => {
    expect(safeNext('/requests/3?x=1')).toBe('/requests/3?x=1')
    for (const bad of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '',
      undefined,
      ['/x'],
    ])
      expect(safeNext(bad)).toBeNull()
  })
})
