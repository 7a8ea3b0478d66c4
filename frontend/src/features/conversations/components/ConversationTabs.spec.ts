import { describe, expect, it } from 'vitest'
import { show, someone } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import type { ConversationOfRequest } from '../useConversations'
import ConversationTabs from './ConversationTabs.vue'

const conversation: ConversationOfRequest = {
  professional_id: 12,
  professional_firstname: 'Ravi',
  compname: 'Rao and Sons',
  customer_firstname: 'Asha',
  unread_count: 0,
  last_message_at: null,
  open: true,
  closes_at: null,
  photos: false,
  reported: false,
}

async function profileLinks(role: 'customer' | 'professional'): Promise<(string | undefined)[]> {
  answer('get', '/requests/5/messages', [200, { items: [], next_cursor: null }])
  const props = { requestId: 5, conversations: [conversation] }
  const { wrapper } = await show(ConversationTabs, { props, user: someone(role) })
  return wrapper
    .findAll('a')
    .filter((link) => link.text() === "See Ravi's profile")
    .map((link) => link.attributes('href'))
}

describe('ConversationTabs', () => {
  it('leads a customer from the conversation to the profile of the professional', async () => {
    expect(await profileLinks('customer')).toEqual(['/professionals/12'])
  })

  it('leads a professional nowhere', async () => {
    expect(await profileLinks('professional')).toEqual([])
  })
})
