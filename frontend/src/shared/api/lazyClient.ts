/** Stands in for the generated client in the generated calls (vite.config.ts): the client, and axios with it, comes with the first call. */
import { once } from '@/shared/lib/once'
import type { Client } from './generated/client'

const load = once(async () => (await import('./generated/client.gen')).client)

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'
const later =
  (method: Method) =>
  async (options: Parameters<Client[Method]>[0]): Promise<unknown> =>
    (await load())[method](options)

export const client = {
  get: later('get'),
  post: later('post'),
  put: later('put'),
  patch: later('patch'),
  delete: later('delete'),
  // Query keys name the host, which is always our own.
  getConfig: () => ({ baseURL: '' }),
} as unknown as Client
