/** The marketplace's time zone, currency and country: read once from the server, with India's as the defaults. */
import axios from 'axios'
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

let loading: Promise<void> | null = null

/** Once; a failure leaves the defaults for now, every time that is sent carries its own offset, and the next page tries again. */
export function loadMarket(): Promise<void> {
  loading ??= axios.get<Market>(`${import.meta.env.BASE_URL}market.json`, { timeout: 5_000 }).then(
    ({ data }) => setMarket(data),
    () => {
      loading = null
    },
  )
  return loading
}
