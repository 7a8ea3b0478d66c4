import { describe, expect, it } from 'vitest'
import { noDays, toBody, toForm, withDays, wrongDays, wrongWith } from './hours'

const market = { usual: { from: '08:00', to: '20:00' }, timezone: 'Asia/Kolkata' }

describe('toForm', () => {
  it("is the marketplace's default day, every day, where nothing was set", () => {
    const { week } = toForm({ weekly: [], exceptions: [], ...market }, '2026-11-23')
    expect(week).toHaveLength(7)
    expect(week.every(({ works, spans }) => works && spans[0]?.from === '08:00')).toBe(true)
  })

  it('treats a day without hours as off, and drops past exceptions', () => {
    const form = toForm(
      {
        weekly: [{ weekday: 5, from: '18:00', to: '24:00' }],
        exceptions: [
          { date: '2026-11-22', hours: [] },
          { date: '2026-12-25', hours: [] },
          { date: '2026-12-01', hours: [{ from: '09:00', to: '10:00' }] },
        ],
        ...market,
      },
      '2026-11-23',
    )
    expect(form.week.map(({ works }) => works)).toEqual([false, false, false, false, false, true, false])
    expect(form.week[5]?.spans).toEqual([{ from: '18:00', to: '00:00' }])
    expect(form.exceptions.map(({ date }) => date)).toEqual(['2026-12-01', '2026-12-25'])
  })
})

describe('toBody', () => {
  it('round-trips with midnight as the end of the day', () => {
    const weekly = [
      { weekday: 0, from: '08:00', to: '12:00' },
      { weekday: 0, from: '13:00', to: '24:00' },
    ]
    expect(toBody(toForm({ weekly, exceptions: [], ...market }, '2026-11-23'))).toEqual({
      weekly,
      exceptions: [],
    })
  })
})

describe('days being chosen', () => {
  it('are saved with the form, without duplicates', () => {
    const form = toForm(
      {
        weekly: [{ weekday: 0, from: '08:00', to: '12:00' }],
        exceptions: [{ date: '2026-12-25', hours: [] }],
        ...market,
      },
      '2026-11-23',
    )
    form.next = { ...noDays(), from: '2026-12-24', to: '2026-12-25' }
    expect(toBody(form).exceptions).toEqual([
      { date: '2026-12-24', hours: [] },
      { date: '2026-12-25', hours: [] },
    ])
  })

  it('can have separate hours', () => {
    expect(withDays([], { ...noDays(), from: '2026-12-24', off: false })).toEqual([
      { date: '2026-12-24', hours: [{ from: '09:00', to: '13:00' }] },
    ])
  })

  it('are rejected with a message', () => {
    const wrong = (more: object) => wrongDays({ ...noDays(), ...more }, '2026-11-23')
    expect([
      wrong({}),
      wrong({ from: '2026-11-22' }),
      wrong({ from: '2026-11-24', to: '2026-11-23' }),
      wrong({ from: '2026-11-24', to: '2027-11-24' }),
      wrong({ from: '2026-11-24' }),
    ]).toEqual(['day', 'days', 'days', 'long', null])
  })
})

describe('wrongWith', () => {
  it('finds time ranges that end before they start or overlap', () => {
    expect(
      wrongWith([
        { from: '09:00', to: '12:00' },
        { from: '12:00', to: '00:00' },
      ]),
    ).toBeNull()
    expect(wrongWith([{ from: '12:00', to: '09:00' }])).toBe('order')
    expect(
      wrongWith([
        { from: '13:00', to: '15:00' },
        { from: '09:00', to: '13:30' },
      ]),
    ).toBe('overlap')
    expect(wrongWith([{ from: '', to: '13:30' }])).toBe('missing')
  })
})
