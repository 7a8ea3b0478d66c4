import { describe, expect, it } from 'vitest'
import type { Notification } from '@/shared/api/types'
import { targetOf } from './useNotifications'

const one = (kind: string, request_id: number | null = null): Notification => ({
  id: 1,
  kind,
  title: '',
  body: '',
  request_id,
  read: false,
  created_at: '2026-11-01T00:00:00Z',
  choices: [],
})

describe('targetOf', () => {
  it('leads to its request, its page, or nowhere', () => {
    expect(targetOf(one('request_accepted', 4), 'customer')).toBe('/requests/4')
    expect(targetOf(one('rejected'), 'professional')).toBe('/approval')
    expect(targetOf(one('export_done'), 'admin')).toBe('/admin/exports')
    expect(targetOf(one('admin_account_changed'), 'admin')).toBe('/admin/audit')
    expect(targetOf(one('unblocked'), 'customer')).toBeNull()
  })
})
