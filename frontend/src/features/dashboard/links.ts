/** Where a figure of the dashboard leads: the list that stands behind it. */
import type { LocationQueryRaw } from 'vue-router'

export interface Target {
  path: string
  query: LocationQueryRaw
}

/** Professionals whose rating lies in one step of the chart; nobody can be listed for "not rated". */
export function ratingTarget(stars: number): Target | null {
  if (stars < 1) return null
  return {
    path: '/admin/professionals',
    query:
      stars >= 5
        ? { min_rating: '5', sort: 'rating' }
        : { min_rating: String(stars), max_rating: `${stars}.9`, sort: 'rating' },
  }
}

export const statusTarget = (status: string): Target => ({ path: '/admin/requests', query: { status } })
export const taskTarget = (task: number, status?: string): Target => ({
  path: '/admin/requests',
  query: { task_id: String(task), ...(status && { status }) },
})
/** Too much asked for somewhere is answered by more professionals there. */
export const pincodeTarget = (pincode: string): Target => ({
  path: '/admin/professionals',
  query: { pincode },
})

/** Work closed on a day, or in a month, as a file. */
export function closedTarget(day: string, step: 'day' | 'month'): Target {
  if (step === 'day') return { path: '/admin/exports', query: { from: day, to: day } }
  const [year = 0, month = 0] = day.split('-').map(Number)
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return {
    path: '/admin/exports',
    query: { from: `${day.slice(0, 7)}-01`, to: `${day.slice(0, 7)}-${last}` },
  }
}
