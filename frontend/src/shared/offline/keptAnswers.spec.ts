import 'fake-indexeddb/auto'
import { QueryClient, type QueryKey, type QueryPersister } from '@tanstack/vue-query'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { actAs } from '@/shared/api/identity'
import { answerAndKeep, dropAnswers } from './keptAnswers'

const key: QueryKey = ['agenda']

const away = () => Promise.reject(new Error('away'))

/** Ask as a page newly opened does: with nothing in its memory. */
function ask(fetch: () => Promise<unknown>): { client: QueryClient; first: Promise<unknown> } {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: 'always' } } })
  const first = client.fetchQuery({
    queryKey: key,
    queryFn: fetch,
    persister: answerAndKeep as QueryPersister,
    staleTime: 0,
  })
  return { client, first }
}
/** Kept answers are written after the page has the answer. */
async function keep(answer: unknown): Promise<void> {
  await ask(() => Promise.resolve(answer)).first
  await vi.waitFor(async () => expect(await ask(away).first).toEqual(answer))
}

describe('keptAnswers', () => {
  afterEach(() => dropAnswers())

  it('answers without a connection by what the account was answered last', async () => {
    actAs(7)
    await keep({ items: ['today'] })
    expect(await ask(away).first).toEqual({ items: ['today'] })
  })

  it('shows the kept answer first and the new one afterwards', async () => {
    actAs(7)
    await keep('old')
    const { client, first } = ask(() => Promise.resolve('new'))
    expect(await first).toBe('old')
    await vi.waitFor(() => expect(client.getQueryData(key)).toBe('new'))
  })

  it("never answers by another account's, whose answers go when it signs in", async () => {
    actAs(7)
    await keep('of 7')
    actAs(8)
    await expect(ask(away).first).rejects.toThrow('away')
    await dropAnswers(8)
    actAs(7)
    await expect(ask(away).first).rejects.toThrow('away')
  })

  it('keeps nothing of a visitor', async () => {
    await ask(() => Promise.resolve('public')).first
    await expect(ask(away).first).rejects.toThrow('away')
  })

  it('keeps nothing that arrives after its account has left', async () => {
    actAs(7)
    const { first } = ask(() => {
      actAs(null)
      return Promise.resolve('too late')
    })
    await first
    await new Promise((resolve) => setTimeout(resolve, 50))
    actAs(7)
    await expect(ask(away).first).rejects.toThrow('away')
  })

  it('is forgotten after sign-out', async () => {
    actAs(7)
    await keep('secret')
    await dropAnswers()
    await expect(ask(away).first).rejects.toThrow('away')
  })
})
