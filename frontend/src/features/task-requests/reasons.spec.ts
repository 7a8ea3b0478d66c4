import { describe, expect, it } from 'vitest'
import { likely } from './reasons'

describe('likely', () => {
  it('says why a request does not fit, as far as that is known', () => {
    expect(likely({ warnings: ['out_of_area', 'task_not_done'] })).toBe('kind')
    expect(likely({ warnings: ['out_of_area', 'not_free'] })).toBe('time')
    expect(likely({ warnings: ['out_of_area'] })).toBe('far')
    expect(likely({ warnings: [] })).toBe('none')
  })
})
