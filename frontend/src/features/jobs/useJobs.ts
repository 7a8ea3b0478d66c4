/** Scheduled jobs, their runs, and failed jobs. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import type { MaybeRefOrGetter } from 'vue'
import {
  listJobRuns,
  listJobs,
  listFailedJobs,
  retryFailedJob,
  runJob,
  type JobsJobs,
  type FailedJob,
  type Run,
  type RunNow,
} from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { pollWhile } from '@/shared/lib/polling'

/** What runs at present looks like; null when nothing does. */
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
    queryKey: ['jobs', 'all'],
    queryFn: async ({ signal }) => (await listJobs({ signal })).data,
    refetchInterval: pollWhile<JobsJobs>(
      ({ items }) => fingerprintOf(items.map((job) => job.last_run)),
      20_000,
    ),
  })
}

export function useRunList(name: MaybeRefOrGetter<string | undefined>) {
  return useKeysetList<Run, string | undefined>({
    key: ['jobs', 'runs'],
    filters: name,
    load: async ({ filters: asked, cursor, signal }) =>
      (await listJobRuns({ query: { name: asked, limit: 10, cursor }, signal })).data,
    fingerprint: fingerprintOf,
  })
}

export function useFailedList() {
  return useKeysetList<FailedJob>({
    key: ['jobs', 'failed'],
    load: async ({ cursor, signal }) => (await listFailedJobs({ query: { cursor }, signal })).data,
    every: 30_000,
  })
}

export function useJobCalls() {
  const client = useQueryClient()
  const refresh = () =>
    Promise.all([
      client.invalidateQueries({ queryKey: ['jobs'] }),
      client.invalidateQueries({ queryKey: ['stats'] }),
    ])
  const run = useMutation({
    mutationFn: ({ name, ...body }: { name: string } & RunNow) => runJob({ path: { name }, body }),
    onSettled: refresh,
  })
  const retry = useMutation({
    mutationFn: (id: number) => retryFailedJob({ path: { job_id: id } }),
    onSettled: refresh,
  })
  return { run, retry }
}
