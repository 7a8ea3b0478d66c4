import { describe, expect, it } from 'vitest'
import { byDay, otherSide, type Message } from './useConversations'
import { isOpen } from './useOutbox'

const message = (id: number, created_at: string): Message => ({
  id,
  author_id: 1,
  author_role: 'customer',
  body: `Message ${id}`,
  masked: false,
  created_at,
  read: false,
  photo_id: null,
})
const sides = { customer_firstname: 'Asha', professional_firstname: 'Ravi', compname: 'Rao and Sons' }

describe('conversations', () => {
  it('are divided by days of the marketplace', () => {
    const days = byDay(
      [
        message(1, '2026-11-27T17:00:00Z'),
        message(2, '2026-11-27T18:29:00Z'),
        message(3, '2026-11-27T18:31:00Z'),
      ],
      'en',
    )
    expect(days.map(({ messages }) => messages.map(({ id }) => id))).toEqual([[1, 2], [3]])
  })

  it('name the other side', () => {
    expect(otherSide(sides, 'customer')).toBe('Ravi (Rao and Sons)')
    expect(otherSide(sides, 'professional')).toBe('Asha')
    expect(otherSide(sides, 'admin')).toBe('Asha – Ravi (Rao and Sons)')
  })

  it('send a message again only while it may still arrive', () => {
    expect(isOpen(0, 'no_answer')).toBe(true)
    expect(isOpen(503, 'unavailable')).toBe(true)
    expect(isOpen(429, 'too_many_requests')).toBe(true)
    expect(isOpen(409, 'still_running')).toBe(true)
    expect(isOpen(409, 'conversation_closed')).toBe(false)
    expect(isOpen(422, 'invalid_fields')).toBe(false)
  })
})
