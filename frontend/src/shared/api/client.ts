/** The generated calls go over our one axios instance and throw what failed. */
import type { CreateClientConfig } from './generated/client.gen'
import { http } from './http'

export const createClientConfig: CreateClientConfig = (config) => ({
  ...config,
  baseURL: '',
  axios: http,
  throwOnError: true,
})
