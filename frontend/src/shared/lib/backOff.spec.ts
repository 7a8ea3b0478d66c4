import { describe, expect, it } from 'vitest'
import { backOff } from './backOff'

describe('backOff', () => {
  it('looks each second while something moves', () => {
    const next = backOff()
    expect([next('1:10'), next('1:20'), next('1:30')]).toEqual([1000, 1000, 1000])
  })

  it('waits longer while nothing does, up to 15 s, and begins anew with the next step', () => {
    const next = backOff()
    expect([next('1:10'), next('1:10'), next('1:10')]).toEqual([1000, 1500, 2250])
    for (let looks = 0; looks < 20; looks += 1) next('1:10')
    expect(next('1:10')).toBe(15_000)
    expect(next('1:11')).toBe(1000)
  })

  it('stops when nothing runs', () => {
    const next = backOff()
    next('1:10')
    expect(next(null)).toBe(false)
    expect(next('2:0')).toBe(1000)
  })
})
