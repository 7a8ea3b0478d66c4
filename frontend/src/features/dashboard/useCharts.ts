/** The dashboard's figures as charts: names, values, and where each leads. */
import { computed, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Stats } from '@/shared/api/generated'
import { formatMoney } from '@/shared/lib/money'
import { dateFormat } from '@/shared/lib/formats'
import { formatDay } from '@/shared/lib/time'
import { closedTarget, pincodeTarget, ratingTarget, statusTarget, taskTarget } from './links'

export const states = ['requested', 'accepted', 'completed', 'closed', 'cancelled', 'expired'] as const

/** What did not go wrong, so that the parts of a bar add up to all. */
const good = (one: { total: number; cancelled: number; expired: number }) =>
  one.total - one.cancelled - one.expired

/** How days, money and outcomes are named in the page's language. */
function useNames(stats: Ref<Stats>) {
  const { t, locale } = useI18n()
  const dayName = (day: string) =>
    stats.value.step === 'month'
      ? dateFormat(locale.value, { month: 'short', year: 'numeric', timeZone: 'UTC' }).format(
          new Date(`${day}T00:00:00Z`),
        )
      : formatDay(day, 'dayShort', locale.value)
  const money = (value: number) => formatMoney(value.toFixed(2), stats.value.currency, locale.value)
  const outcome = (rows: readonly { total: number; cancelled: number; expired: number }[]) => [
    { label: t('dashboard.wentOn'), tone: 'door' as const, values: rows.map(good) },
    { label: t('status.cancelled'), tone: 'cancelled' as const, values: rows.map((row) => row.cancelled) },
    { label: t('status.expired'), tone: 'expired' as const, values: rows.map((row) => row.expired) },
  ]
  return { t, locale, dayName, money, outcome }
}
type Names = ReturnType<typeof useNames>

/** What was asked for: by day, task and place. */
function requestCharts(stats: Ref<Stats>, { t, dayName, outcome }: Names) {
  const requests = computed(() => ({
    title: t('dashboard.byDay'),
    figure: String(stats.value.cancellations.requests),
    hint: t('dashboard.byDayHint'),
    head: t('dashboard.day'),
    empty: t('dashboard.noRequests'),
    labels: stats.value.requests_by_day.map(({ day }) => dayName(day)),
    series: states.map((state) => ({
      label: t(`status.${state}`),
      tone: state,
      values: stats.value.requests_by_day.map((day) => day[state]),
      target: statusTarget(state),
    })),
  }))
  const tasks = computed(() => ({
    title: t('dashboard.topTasks'),
    head: t('dashboard.task'),
    empty: t('dashboard.noRequests'),
    lying: true,
    labels: stats.value.top_tasks.map((task) => task.task_name),
    series: outcome(stats.value.top_tasks),
    target: (index: number) => taskTarget(stats.value.top_tasks[index]?.task_id ?? 0),
  }))
  const pincodes = computed(() => ({
    title: t('dashboard.topPincodes'),
    hint: t('dashboard.topPincodesHint'),
    head: t('dashboard.place'),
    empty: t('dashboard.noRequests'),
    lying: true,
    labels: stats.value.top_pincodes.map(({ pincode, district }) => `${pincode} ${district}`),
    series: outcome(stats.value.top_pincodes),
    target: (index: number) => pincodeTarget(stats.value.top_pincodes[index]?.pincode ?? ''),
  }))
  return { requests, tasks, pincodes }
}

/** What closed requests were worth: by day and task. */
function valueCharts(stats: Ref<Stats>, { t, locale, dayName, money }: Names) {
  const closed = computed(() => ({
    title: t('dashboard.closed'),
    figure: formatMoney(stats.value.closed_work.value, stats.value.currency, locale.value),
    hint: t('dashboard.closedHint', stats.value.closed_work.total),
    head: t('dashboard.day'),
    empty: t('dashboard.noClosed'),
    labels: stats.value.closed_work.by_day.map(({ day }) => dayName(day)),
    series: [
      {
        label: t('dashboard.value'),
        tone: 'closed' as const,
        values: stats.value.closed_work.by_day.map(({ value }) => Number(value)),
      },
    ],
    format: money,
    target: (index: number) =>
      closedTarget(stats.value.closed_work.by_day[index]?.day ?? '', stats.value.step),
  }))
  const earning = computed(() => ({
    title: t('dashboard.topEarning'),
    head: t('dashboard.task'),
    empty: t('dashboard.noClosed'),
    lying: true,
    labels: stats.value.closed_work.top_tasks.map((task) => task.task_name),
    series: [
      {
        label: t('dashboard.value'),
        tone: 'closed' as const,
        values: stats.value.closed_work.top_tasks.map(({ value }) => Number(value)),
      },
    ],
    format: money,
    target: (index: number) => taskTarget(stats.value.closed_work.top_tasks[index]?.task_id ?? 0, 'closed'),
  }))
  return { closed, earning }
}

export function useCharts(stats: Ref<Stats>) {
  const names = useNames(stats)
  const { t } = names
  const ratings = computed(() => ({
    title: t('dashboard.ratings'),
    hint: t('dashboard.ratingsHint'),
    head: t('dashboard.stars'),
    empty: t('dashboard.noProfessionals'),
    labels: stats.value.professionals_by_rating.map(({ stars }) =>
      stars ? t('dashboard.starsNamed', stars) : t('dashboard.unrated'),
    ),
    series: [
      {
        label: t('dashboard.professionals'),
        tone: 'door' as const,
        values: stats.value.professionals_by_rating.map(({ professionals }) => professionals),
      },
    ],
    target: (index: number) => ratingTarget(stats.value.professionals_by_rating[index]?.stars ?? 0),
  }))
  return { ...requestCharts(stats, names), ...valueCharts(stats, names), ratings }
}
