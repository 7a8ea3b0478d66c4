/** The marketplace's time zone, currency and country: read once from the server, with India's as the defaults. */
import { reactive, readonly } from 'vue'

export interface Market {
  timezone: string
  currency: string
  country: string
}

const state = reactive<Market>({ timezone: 'Asia/Kolkata', currency: 'INR', country: 'IN' })
export const market: Readonly<Market> = readonly(state)

export function setMarket(next: Partial<Market>): void {
  Object.assign(state, next)
}

async function readMarket(): Promise<Market> {
  const url = `${import.meta.env.BASE_URL}market.json`
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
  if (!response.ok) throw new Error(`The server answered ${url} with ${response.status}`)
  return (await response.json()) as Market
}

let loading: Promise<void> | null = null

/** Once; a failure leaves the defaults for now, every time that is sent carries its own offset, and the next page tries again. */
export function loadMarket(): Promise<void> {
  loading ??= readMarket().then(setMarket, () => {
    loading = null
  })
  return loading
}
