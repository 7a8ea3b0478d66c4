/** The market's zone, currency and country: read once from the server, with India's as the start. */
import { reactive, readonly } from 'vue'
import { http } from '@/shared/api/http'

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

export async function loadMarket(): Promise<void> {
  try {
    setMarket((await http.get<Market>('/market')).data)
  } catch {
    // The defaults stand; every time that is sent carries its own offset.
  }
}
