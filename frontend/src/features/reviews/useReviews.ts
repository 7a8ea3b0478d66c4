/** Reviews as an admin moderates them: those reported, hidden with a reason or left visible. */
import type { ListReviewsData } from '@/shared/api/generated'

export const views = ['reported', 'hidden', 'all'] as const
export type View = (typeof views)[number]

/** What waits for a judgement are the reported ones that are not hidden yet. */
export function filtersOf(view: View): NonNullable<ListReviewsData['query']> {
  if (view === 'reported') return { reported: 1, hidden: 0 }
  return view === 'hidden' ? { hidden: 1 } : {}
}
