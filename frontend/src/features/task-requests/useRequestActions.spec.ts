import { defineComponent, h } from 'vue'
import { describe, expect, it } from 'vitest'
import type { TaskRequest } from '@/shared/api/types'
import { show, someone, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { useRequestActions } from './useRequestActions'

const request = { id: 3, task_name: 'Tap repair', warnings: [] as string[] }
const acting = (verb: 'accept' | 'close' | 'reject', warnings: string[], words?: string) =>
  defineComponent({
    setup() {
      const act = useRequestActions()
      return () =>
        h(
          'button',
          {
            id: 'go',
            onClick: () => void act({ ...request, warnings } as unknown as TaskRequest, verb, words),
          },
          'Go',
        )
    },
  })
const go = () => document.querySelector<HTMLButtonElement>('#go')?.click()
const button = (text: string) =>
  [...document.querySelectorAll('button')].find((one) => one.textContent?.trim() === text)

describe('useRequestActions', () => {
  it('accepts a matching request with one tap', async () => {
    const seen = answer('post', '/requests/3/accept', [200, request])
    await show(acting('accept', []), { user: someone('professional') })
    go()
    await until(() => seen.length === 1, 'the call')
  })

  it('shows warnings with an undo button that releases the request', async () => {
    answer('post', '/requests/3/accept', [200, request])
    const seen = answer('post', '/requests/3/release', [200, request])
    await show(acting('accept', ['outside_hours']), { user: someone('professional') })
    go()
    await until(() => document.body.textContent?.includes('Outside your working hours') === true, 'the word')
    button('Undo')?.click()
    await until(() => seen.length === 1, 'the release')
    expect(seen[0]?.body).toEqual({ reason: 'Accepted by mistake' })
  })

  it('does not ask for a reason that was given', async () => {
    const seen = answer('post', '/requests/3/reject', [200, request])
    await show(acting('reject', [], 'Too far away'), { user: someone('professional') })
    go()
    await until(() => seen.length === 1, 'the call')
    expect(seen[0]?.body).toEqual({ reason: 'Too far away' })
  })

  it('asks for a reason as long as the contract wants it', async () => {
    const seen = answer('post', '/requests/3/reject', [200, request])
    await show(acting('reject', []), { user: someone('professional') })
    go()
    await until(() => document.querySelector('textarea') !== null, 'the dialog')
    const words = document.querySelector('textarea')
    if (!words) throw new Error('no field')
    expect(words.maxLength).toBe(500)
    const write = (text: string) => {
      words.value = text
      words.dispatchEvent(new Event('input', { bubbles: true }))
    }
    write('No')
    button('Decline')?.click()
    await until(() => document.body.textContent?.includes('between 3 and 500') === true, 'the error')
    write('Not my trade')
    button('Decline')?.click()
    await until(() => seen.length === 1, 'the call')
    expect(seen[0]?.body).toEqual({ reason: 'Not my trade' })
  })

  it('closes without remarks, which the contract leaves open', async () => {
    const seen = answer('post', '/requests/3/close', [200, request])
    await show(acting('close', []), { user: someone('customer') })
    go()
    await until(() => document.querySelector('textarea') !== null, 'the dialog')
    expect(document.querySelector('textarea')?.maxLength).toBe(2000)
    button('Close')?.click()
    await until(() => seen.length === 1, 'the call')
  })
})
