import { expect, it } from 'vitest'
import { marketToday, toIso, weekOf } from '@/shared/lib/marketTime'
import { show, until } from '@/shared/testing/mount'
import type { Day } from '../agenda'
import AgendaList from './AgendaList.vue'

const asked = (date: string, status = 'accepted') => ({
  request: {
    id: 1,
    task_name: 'Tap repair',
    status,
    date_of_request: toIso(date, '09:00'),
    time_required: 90,
    address: '12 MG Road',
    customer: { firstname: 'Asha' },
  },
  from: 540,
  to: 630,
  since: false,
})
const day = (date: string, more: Partial<Day> = {}): Day => ({
  date,
  hours: [],
  exception: false,
  requests: [],
  entries: [],
  ...more,
})

it('starts with today and hides past days of the week behind a button', async () => {
  const today = marketToday()
  const days = weekOf(today).map((date) =>
    day(date, date === today ? { entries: [asked(date)] as unknown as Day['entries'] } : {}),
  )
  const { wrapper } = await show(AgendaList, { props: { days } })
  await until(() => wrapper.text().includes('Tap repair'), 'the day')
  expect(wrapper.find('a[href^="/requests/1"]').text()).toMatch(
    /^9:00\s–\s10:30\s?am\s*Tap repair\s*Asha · 12 MG Road$/i,
  )
  expect(wrapper.findAll('details .sheet')).toHaveLength(weekOf(today).indexOf(today))
  expect(wrapper.findAll('.sheet')).toHaveLength(7)
  expect(wrapper.find('[aria-current="date"]').exists()).toBe(true)
})

it('shows all days of another week', async () => {
  const { wrapper } = await show(AgendaList, {
    props: { days: weekOf('2020-01-08').map((date) => day(date)) },
  })
  await until(() => wrapper.findAll('.sheet').length === 7, 'the days')
  expect(wrapper.find('details').exists()).toBe(false)
})
