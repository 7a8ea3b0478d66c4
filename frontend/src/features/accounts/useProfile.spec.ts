import { describe, expect, it } from 'vitest'
import { someone } from '@/shared/testing/mount'
import { changes } from './useProfile'

describe('changes', () => {
  const account = someone('professional', { exp: 3, task_ids: [1, 2], phone: '+919812345678' })
  const { firstname, lastname, email, phone, address, pincode, exp, task_ids } = account
  const same = { firstname, lastname, email, phone: phone ?? '', address, pincode, exp, task_ids }

  it('is nothing when nothing changed', () => {
    expect(changes(account, same)).toEqual({})
    expect(changes(someone('customer'), { firstname, lastname, email, phone: '', address, pincode })).toEqual({})
  })

  it('sends only what differs, and an emptied phone as null', () => {
    expect(changes(account, { ...same, firstname: 'Aasha', phone: '', task_ids: [2] })).toEqual({ firstname: 'Aasha', phone: null, task_ids: [2] })
  })
})
