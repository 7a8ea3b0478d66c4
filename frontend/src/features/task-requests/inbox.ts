/** What of the inbox is shown, from the address; anything unknown there shows all. */
import type { LocationQuery } from 'vue-router'
import type { Filters } from './useRequests'

export const distances = [5, 10, 25, 50] as const
export type Shown = '' | 'fits' | 'free'

export const shownOf = (query: LocationQuery): Shown =>
  query.show === 'fits' || query.show === 'free' ? query.show : ''
export const distanceOf = (query: LocationQuery): number =>
  distances.find((km) => String(km) === query.km) ?? 0

export function filtersOf(query: LocationQuery): Filters {
  const shown = shownOf(query)
  const km = distanceOf(query)
  return {
    scope: 'open',
    ...(shown && { matching: 1 as const }),
    ...(shown === 'free' && { free: 1 as const }),
    ...(km > 0 && { max_km: km }),
  }
}
