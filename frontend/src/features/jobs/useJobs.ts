/** Scheduled jobs, their runs, and failed jobs. */
import { useQuery } from '@tanstack/vue-query'
import { toValue, type MaybeRefOrGetter } from 'vue'
import {
  listFailedJobsInfiniteOptions,
  listJobRunsInfiniteOptions,
  listJobsOptions,
  type JobsJobs,
  type Run,
} from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { pollWhile, withoutLive } from '@/shared/lib/polling'

/** The progress of the runs under way as text; null when there are none. */
export function fingerprintOf(runs: readonly (Run | null)[]): string | null {
  const open = runs.filter((run) => run?.status === 'queued' || run?.status === 'running')
  return open.length
    ? open.map((run) => `${run?.id}:${run?.status}:${run?.sent}:${run?.failed}`).join(' ')
    : null
}

/** A job that has waited longer than this should have started long ago. */
export const lateAfter = 60
export const monthly = 'monthly-reports'

export function useJobs() {
  return useQuery({
    ...listJobsOptions(),
    refetchInterval: pollWhile<JobsJobs>(
      ({ items }) => fingerprintOf(items.map((job) => job.last_run)),
      withoutLive,
    ),
  })
}

export function useRunList(name: MaybeRefOrGetter<string | undefined>) {
  return useKeysetList(() => listJobRunsInfiniteOptions({ query: { name: toValue(name), limit: 10 } }), {
    fingerprint: fingerprintOf,
  })
}

export function useFailedList() {
  return useKeysetList(() => listFailedJobsInfiniteOptions(), { every: withoutLive })
}
