import { describe, expect, it } from 'vitest'
import { someone } from '@/shared/testing/mount'
import { defineComponent, h } from 'vue'
import { useQueryClient, type QueryClient, type QueryKey } from '@tanstack/vue-query'
import {
  getMyInboxQueryKey,
  getSearchInfiniteQueryKey,
  listTaskProfessionalsInfiniteQueryKey,
} from '@/shared/api/generated'
import { show } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { changes, useProfile } from './useProfile'

describe('changes', () => {
  const account = someone('professional', { exp: 3, task_ids: [1, 2], phone: '+919812345678' })
  const { firstname, lastname, email, phone, address, pincode, exp, task_ids } = account
  const same = { firstname, lastname, email, phone: phone ?? '', address, pincode, exp, task_ids }

  it('is empty when nothing changed', () => {
    expect(changes(account, same)).toEqual({})
    expect(changes(someone('customer'), { firstname, lastname, email, phone: '', address, pincode })).toEqual(
      {},
    )
  })

  it('sends only what differs, and an emptied phone as null', () => {
    expect(changes(account, { ...same, firstname: 'Aasha', phone: '', task_ids: [2] })).toEqual({
      firstname: 'Aasha',
      phone: null,
      task_ids: [2],
    })
  })
})

describe('save', () => {
  it('invalidates queries that depend on place and tasks of the account', async () => {
    let client: QueryClient | undefined
    let profile: ReturnType<typeof useProfile> | undefined
    const page = defineComponent({
      setup() {
        client = useQueryClient()
        profile = useProfile()
        return () => h('p')
      },
    })
    const user = someone('professional', { exp: 3 })
    answer('patch', '/me', [200, { ...user, pincode: '560001' }])
    await show(page, { user })
    const keys: QueryKey[] = [
      getSearchInfiniteQueryKey(),
      listTaskProfessionalsInfiniteQueryKey({ path: { task_id: 3 }, query: { pincode: '560025' } }),
      getMyInboxQueryKey(),
    ]
    for (const key of keys) {
      client?.setQueryDefaults(key, { gcTime: Infinity })
      client?.setQueryData(key, 'as it was')
    }
    const { firstname, lastname, email, address } = user
    expect(await profile?.save({ firstname, lastname, email, phone: '', address, pincode: '560001' })).toBe(
      true,
    )
    expect(keys.map((key) => client?.getQueryState(key)?.isInvalidated)).toEqual([true, true, true])
  })
})
