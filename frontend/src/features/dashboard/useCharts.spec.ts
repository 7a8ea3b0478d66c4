import { describe, expect, it } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import type { Stats } from '@/shared/api/generated'
import { show } from '@/shared/testing/mount'
import { useCharts } from './useCharts'

const stats = {
  step: 'day',
  currency: 'INR',
  cancellations: { requests: 9, cancelled: 2, expired: 1, share: 0.33 },
  requests_by_day: [
    { day: '2026-11-01', requested: 1, accepted: 2, completed: 0, closed: 3, cancelled: 2, expired: 1 },
  ],
  closed_work: {
    total: 3,
    value: '1497.00',
    by_day: [{ day: '2026-11-02', total: 3, value: '1497.00' }],
    top_tasks: [{ task_id: 5, task_name: 'Tap', total: 3, value: '1497.00' }],
  },
  top_tasks: [{ task_id: 5, task_name: 'Tap', total: 9, cancelled: 2, expired: 1 }],
  top_pincodes: [
    { pincode: '560001', locality: 'MG Road', district: 'Bengaluru', total: 9, cancelled: 2, expired: 1 },
  ],
  professionals_by_rating: [
    { stars: 0, professionals: 4 },
    { stars: 4, professionals: 2 },
  ],
} as unknown as Stats

async function charts() {
  let made: ReturnType<typeof useCharts> | undefined
  await show(
    defineComponent({
      setup: () => {
        made = useCharts(ref(stats))
        return () => h('p')
      },
    }),
  )
  if (!made) throw new Error('not mounted')
  return made
}

describe('useCharts', () => {
  it('parts of a bar add up to all', async () => {
    const { tasks, requests } = await charts()
    expect(tasks.value.series.map(({ values }) => values[0])).toEqual([6, 2, 1])
    expect(requests.value.series.reduce((sum, { values }) => sum + (values[0] ?? 0), 0)).toBe(9)
  })

  it('each row links to its filtered list', async () => {
    const { tasks, earning, pincodes, ratings, closed, requests } = await charts()
    expect(tasks.value.target(0)).toEqual({ path: '/admin/requests', query: { task_id: '5' } })
    expect(earning.value.target(0)).toEqual({
      path: '/admin/requests',
      query: { task_id: '5', status: 'closed' },
    })
    expect(pincodes.value.target(0)).toEqual({ path: '/admin/professionals', query: { pincode: '560001' } })
    expect(ratings.value.target(0)).toBeNull()
    expect(ratings.value.target(1)?.query).toMatchObject({ min_rating: '4', max_rating: '4.9' })
    expect(closed.value.target(0)).toEqual({
      path: '/admin/exports',
      query: { from: '2026-11-02', to: '2026-11-02' },
    })
    expect(requests.value.series.at(-1)?.target).toEqual({
      path: '/admin/requests',
      query: { status: 'expired' },
    })
  })

  it('formats names and money', async () => {
    const { requests, closed, ratings } = await charts()
    expect(requests.value.labels).toEqual(['1 Nov'])
    expect(closed.value.figure).toContain('1,497')
    expect(ratings.value.labels).toEqual(['Not rated', '4 stars'])
  })
})
