import { describe, expect, it } from 'vitest'
import { choiceOf, moved, withChoices } from './usePreferences'

describe('choices of kinds', () => {
  const kinds = { report: [], reminder: ['sms' as const], request_new: ['mail' as const, 'sms' as const] }

  it('are read as default, none or one channel', () => {
    expect(
      ['request_closed', 'report', 'reminder', 'request_new'].map((kind) => choiceOf(kinds, kind)),
    ).toEqual(['usual', 'none', 'sms', 'usual'])
  })

  it('change only what was changed', () => {
    expect(
      withChoices(kinds, {
        report: 'usual',
        reminder: 'none',
        request_new: 'usual',
        request_closed: 'gchat',
      }),
    ).toEqual({
      reminder: [],
      request_new: ['mail', 'sms'],
      request_closed: ['gchat'],
    })
    expect(kinds.report).toEqual([])
  })
})

describe('moved', () => {
  it('swaps with its neighbour and stays in place at the ends', () => {
    expect(moved(['mail', 'gchat', 'sms'], 'sms', -1)).toEqual(['mail', 'sms', 'gchat'])
    expect(moved(['mail', 'sms'], 'mail', 1)).toEqual(['sms', 'mail'])
    expect(moved(['mail', 'sms'], 'mail', -1)).toEqual(['mail', 'sms'])
    expect(moved(['mail'], 'gchat', 1)).toEqual(['mail'])
  })
})
