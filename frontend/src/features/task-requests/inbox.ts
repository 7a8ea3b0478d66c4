/** What the inbox shows, from the URL. */
import { field, type readQuery } from '@/shared/composables/useUrlFilters'
import type { Filters } from './useRequests'

export const distances = [5, 10, 25, 50] as const
export const inboxFields = { show: field.oneOf(['fits', 'free'] as const), km: field.oneOf(distances) }
type Shown = ReturnType<typeof readQuery<typeof inboxFields>>

export function filtersOf({ show, km }: Shown): Filters {
  return {
    scope: 'open',
    ...(show && { matching: 1 as const }),
    ...(show === 'free' && { free: 1 as const }),
    ...(km && { max_km: km }),
  }
}
