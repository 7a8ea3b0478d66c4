import { useQueryClient, type QueryClient } from '@tanstack/vue-query'
import { http as msw, HttpResponse } from 'msw'
import { defineComponent, h, ref } from 'vue'
import { describe, expect, it } from 'vitest'
import {
  acceptRequestMutation,
  createExportMutation,
  listRequestsInfiniteQueryKey,
  getTaskQueryKey,
} from '@/shared/api/generated'
import { AccountChanged, actAs } from '@/shared/api/identity'
import { show, until } from '@/shared/testing/mount'
import { answer, server } from '@/shared/testing/server'
import { useApiMutation } from './useApiMutation'

const path = { request_id: 3 }
const requests = listRequestsInfiniteQueryKey()
const task = getTaskQueryKey({ path: { task_id: 3 } })
const says = (text: string) => document.body.textContent?.includes(text) === true

/** Run the composable within a page. */
async function within<T>(use: () => T): Promise<T & { client: QueryClient }> {
  let result: (T & { client: QueryClient }) | undefined
  await show(
    defineComponent({
      setup() {
        result = { ...use(), client: useQueryClient() }
        return () => h('p')
      },
    }),
  )
  if (!result) throw new Error('The page was not set up')
  result.client.setDefaultOptions({ queries: { gcTime: Infinity } })
  for (const key of [requests, task])
    result.client.setQueryData(key as readonly unknown[], { pages: [], pageParams: [] })
  return result
}

describe('useApiMutation', () => {
  it('reports success and reads again what has the tags of its operation', async () => {
    answer('post', '/requests/3/accept', [200, { id: 3 }])
    const { run, client } = await within(() =>
      useApiMutation(acceptRequestMutation(), { success: 'requests.actions.accept.done' }),
    )
    expect(await run({ path })).toBe(true)
    await until(() => says('Request accepted'), 'the message')
    expect([requests, task].map((key) => client.getQueryState(key)?.isInvalidated)).toEqual([true, false])
  })

  it('reports a failure of a button, and reads again what may have changed', async () => {
    answer('post', '/requests/3/accept', [409, { code: 'invalid_transition' }])
    const { run, client } = await within(() =>
      useApiMutation(acceptRequestMutation(), { invalidates: ['Tasks'] }),
    )
    expect(await run({ path })).toBe(false)
    await until(() => document.querySelector('[data-slot="title"]') !== null, 'the message')
    expect([requests, task].map((key) => client.getQueryState(key)?.isInvalidated)).toEqual([false, true])
  })

  it('leaves a failure to the form that sends', async () => {
    answer('post', '/requests/3/accept', [422, { code: 'invalid_fields' }])
    const { send } = await within(() => useApiMutation(acceptRequestMutation()))
    await expect(send({ path })).rejects.toMatchObject({ response: { status: 422 } })
    expect(document.querySelector('[data-slot="title"]')).toBeNull()
  })

  it('sends an order again under the key it has, and the next one under another', async () => {
    const seen = answer('post', '/exports', [503], [202, { id: 1 }], [202, { id: 2 }])
    const key = ref('first')
    const { run } = await within(() => useApiMutation(createExportMutation(), { idempotent: key }))
    for (let calls = 0; calls < 3; calls += 1) await run({ body: {} })
    const keys = seen.map((one) => one.headers.get('idempotency-key'))
    expect(keys.slice(0, 2)).toEqual(['first', 'first'])
    expect(keys[2]).not.toBe('first')
  })

  it('drops a response that comes after another account has taken over', async () => {
    let respond: () => void = () => undefined
    const asked = new Promise<void>((resolve) => {
      server.use(
        msw.post('*/requests/3/accept', async () => {
          resolve()
          await new Promise<void>((go) => (respond = go))
          return HttpResponse.json({ id: 3 })
        }),
      )
    })
    let heard = 0
    const { send } = await within(() =>
      useApiMutation(
        { mutationFn: () => fetch('http://localhost:5000/requests/3/accept', { method: 'POST' }) },
        { success: 'requests.actions.accept.done', onSuccess: () => (heard += 1) },
      ),
    )
    actAs(7)
    const late = send(undefined)
    await asked
    actAs(8)
    respond()
    await expect(late).rejects.toThrow(AccountChanged)
    expect([heard, says('Request accepted')]).toEqual([0, false])
    actAs(null)
  })
})
