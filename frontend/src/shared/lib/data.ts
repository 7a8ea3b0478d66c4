/** The cached answers of the API (vue-query), loaded with the first part that asks for any: what every page begins with does without. */
import type { QueryClient } from '@tanstack/vue-query'
import type { App } from 'vue'
import { once } from './once'

let application: App | null = null
let client: QueryClient | null = null

export function connectData(app: App): void {
  application = app
}

export const loadData = once(async (): Promise<void> => {
  const { queryClient, VueQueryPlugin } = await import('./queryClient')
  client = queryClient
  application?.use(VueQueryPlugin, { queryClient })
})

/** Forget every answer, at once. */
export function forgetAnswers(): void {
  client?.clear()
}

/** Load again what pages show, and mark the rest as stale. */
export async function refreshAnswers(): Promise<void> {
  await client?.invalidateQueries()
}
