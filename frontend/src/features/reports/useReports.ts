/** A customer's months. */
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { getReport, listReports, type SentReport } from '@/shared/api/generated'
import type { Signalled } from '@/shared/api/types'
import { useKeysetList } from '@/shared/composables/useKeysetList'
import { marketToday, toIso } from '@/shared/lib/marketTime'
import { formatTime } from '@/shared/lib/time'

export const thisMonth = (): string => marketToday().slice(0, 7)

/** '2026-10' → 'October 2026'. */
export const monthName = (month: string, locale: string): string =>
  formatTime(toIso(`${month}-15`, '12:00'), 'month', locale)

/** The month before or after; null for one that has not started. */
export function monthBeside(month: string, by: 1 | -1, now = thisMonth()): string | null {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const index = year * 12 + number - 1 + by
  const next = `${Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`
  return next > now ? null : next
}

/** A row is told apart by its month. */
export type Month = SentReport & { id: string }

export function useReportList() {
  return useKeysetList<Month>({
    key: ['reports', 'list'],
    load: async ({ cursor, signal }) => {
      const { data } = await listReports({ query: { cursor }, signal })
      return { ...data, items: data.items.map((item) => ({ ...item, id: item.month })) }
    },
  })
}

export function useReport(month: MaybeRefOrGetter<string>) {
  return useQuery(
    computed(() => {
      const path = { month: toValue(month) }
      return {
        queryKey: ['reports', path.month],
        queryFn: async ({ signal }: Signalled) =>
          (await getReport({ path, signal, headers: { Accept: 'application/json' } })).data,
      }
    }),
  )
}
