import { expect, it, vi } from 'vitest'
import { once } from './once'

it('runs once, and again only after a failure', async () => {
  const work = vi
    .fn<() => Promise<string>>()
    .mockRejectedValueOnce(new TypeError('Failed to fetch'))
    .mockResolvedValue('there')
  const load = once(work)
  await expect(Promise.all([load(), load()])).rejects.toThrow('Failed to fetch')
  expect(work).toHaveBeenCalledTimes(1)
  expect(await Promise.all([load(), load()])).toEqual(['there', 'there'])
  expect(await load()).toBe('there')
  expect(work).toHaveBeenCalledTimes(2)
})
