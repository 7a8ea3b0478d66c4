import 'fake-indexeddb/auto'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { keptAccount } from '@/shared/session/kept'
import { useSession } from '@/shared/session/store'
import { someone } from '@/shared/testing/mount'
import { workOffline } from './offline'

describe('workOffline', () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    useSession().user = someone('professional')
    workOffline()
  })

  it('keeps the account that is signed in, as it changes, until it signs out', async () => {
    const session = useSession()
    expect(keptAccount()?.firstname).toBe('Asha')
    session.user = someone('professional', { firstname: 'Usha' })
    await vi.waitFor(() => expect(keptAccount()?.firstname).toBe('Usha'))
    session.forget()
    await vi.waitFor(() => expect(keptAccount()).toBeNull())
    await vi.waitFor(() => expect(localStorage.length).toBe(0))
  })

  it('keeps nothing for an admin', async () => {
    useSession().user = someone('admin')
    await vi.waitFor(() => expect(keptAccount()).toBeNull())
  })
})
