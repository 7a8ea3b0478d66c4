/** Invalidation by tag: every generated query key carries the tags of its operation in openapi.json. */
import type { QueryClient } from '@tanstack/vue-query'

export const tags = [
  'Accounts',
  'Activity',
  'Audit trail',
  'Authentication',
  'Checklists',
  'Conversations',
  'Dashboard',
  'Deliveries',
  'Documents',
  'Exports',
  'Favourites',
  'Jobs',
  'Notifications',
  'Photos',
  'Professionals',
  'Profiles',
  'Reports',
  'Requests',
  'Reviews',
  'Schedule',
  'Search',
  'Settings',
  'Tasks',
  'User administration',
] as const
export type Tag = (typeof tags)[number]

function tagsOf([first]: readonly unknown[]): readonly unknown[] {
  return typeof first === 'object' && first !== null && 'tags' in first && Array.isArray(first.tags)
    ? first.tags
    : []
}

/** Mark the queries of these tags as stale; wait until those that are shown have been read again, unless none is to be. */
export function invalidate(
  client: QueryClient,
  changed: readonly Tag[],
  refetchType: 'active' | 'none' = 'active',
): Promise<void> {
  const wanted = new Set<unknown>(changed)
  return client.invalidateQueries({
    refetchType,
    predicate: ({ queryKey }) => tagsOf(queryKey).some((tag) => wanted.has(tag)),
  })
}
