/** The points of a checklist as they will be once the server has the ticks that this device has not sent yet. */
import type { RequestPoint } from '@/shared/api/generated'
import type { Unsent } from '@/shared/offline/unsent'

export interface ShownPoint extends RequestPoint {
  isUnsent: boolean
}

export function withUnsentTicks(points: readonly RequestPoint[], items: readonly Unsent[]): ShownPoint[] {
  return points.map((point) => {
    const last = items.findLast(
      ({ action, point: number, refused }) => action === 'tick' && number === point.number && !refused,
    )
    if (!last) return { ...point, isUnsent: false }
    return { ...point, isUnsent: true, done_at: last.done ? new Date(last.at).toISOString() : null }
  })
}
