/** What approved price lines added to agreed prices, as a chart by task. */
import { computed, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Stats } from '@/shared/api/generated'
import { formatPercent } from '@/shared/lib/formats'
import { formatMoney } from '@/shared/lib/money'
import { taskTarget } from './links'

export function useExtraWork(stats: Ref<Stats>) {
  const { t, locale } = useI18n()
  const share = (of: { share: number }) => formatPercent(of.share, locale.value)
  const money = (value: string) => formatMoney(value, stats.value.currency, locale.value)
  return computed(() => {
    const { extra_work: extra } = stats.value
    return {
      title: t('dashboard.extra.title'),
      figure: money(extra.value),
      hint: t('dashboard.extra.hint', { share: share(extra) }, extra.requests),
      head: t('dashboard.task'),
      empty: t('dashboard.extra.none'),
      lying: true,
      labels: extra.top_tasks.map((task) => task.task_name),
      series: [
        {
          label: t('dashboard.extra.added'),
          tone: 'accepted' as const,
          values: extra.top_tasks.map(({ value }) => Number(value)),
        },
      ],
      /** The table and a bar's label have the share as well; the axis has amounts only. */
      format: (value: number, index?: number) => {
        const task = index === undefined ? undefined : extra.top_tasks[index]
        return task ? `${money(task.value)} (${share(task)})` : money(value.toFixed(2))
      },
      target: (index: number) => taskTarget(extra.top_tasks[index]?.task_id ?? 0, 'closed'),
    }
  })
}
