/** The market's scheduled jobs, their runs, and the work that was given up. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { listJobRuns, listJobs, listParkedJobs, retryParkedJob, runJob, type Job, type ParkedJob, type Run, type RunNow } from '@/shared/api/generated'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { usePulse } from '@/shared/composables/usePulse'

/** What runs at present looks like; null when nothing does. */
export function pulseOf(runs: readonly (Run | null)[]): string | null {
  const open = runs.filter((run) => run?.status === 'queued' || run?.status === 'running')
  return open.length ? open.map((run) => `${run?.id}:${run?.status}:${run?.sent}:${run?.failed}`).join(' ') : null
}

/** Work that waited longer than this should have begun long ago. */
export const lateAfter = 60
export const monthly = 'monthly-reports'

export function useJobs() {
  const query = useQuery({ queryKey: ['jobs', 'all'], queryFn: async () => (await listJobs()).data, refetchInterval: 20_000 })
  usePulse(() => pulseOf(query.data.value?.items.map((job: Job) => job.last_run) ?? []), query.refetch)
  return query
}

export function useRunList(name: MaybeRefOrGetter<string | undefined>) {
  const list = useKeysetList<Run>({
    key: computed(() => ['jobs', 'runs', toValue(name)]),
    load: async (cursor) => (await listJobRuns({ query: { name: toValue(name), limit: 10, cursor } })).data,
  })
  usePulse(() => pulseOf(list.items.value), list.reload)
  return list
}

export function useParkedList() {
  return useKeysetList<ParkedJob>({ key: ['jobs', 'parked'], load: async (cursor) => (await listParkedJobs({ query: { cursor } })).data, every: 30_000 })
}

export function useJobCalls() {
  const client = useQueryClient()
  const refresh = () => Promise.all([client.invalidateQueries({ queryKey: ['jobs'] }), client.invalidateQueries({ queryKey: ['stats'] })])
  const run = useMutation({ mutationFn: ({ name, ...body }: { name: string } & RunNow) => runJob({ path: { name }, body }), onSettled: refresh })
  const retry = useMutation({ mutationFn: (id: number) => retryParkedJob({ path: { job_id: id } }), onSettled: refresh })
  return { run, retry }
}
