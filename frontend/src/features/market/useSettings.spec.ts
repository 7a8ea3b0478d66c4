import { describe, expect, it } from 'vitest'
import { validate } from '@/shared/lib/schema'
import { differing, ofAnswer, settingsSchema, type Settings } from './useSettings'

const now: Settings = {
  answer_within_minutes: 120,
  min_notice_minutes: 0,
  free_cancel_minutes: 120,
  start_code: 'off' as const,
  contact: 'shown' as const,
  visit_reminders: 'off' as const,
  extra_work_cap_percent: 0,
  extra_work_reasons: '',
  offer_valid_hours: 48,
  travel_buffer_minutes: 0,
  tell_nearest: 10,
  reminder_at: '18:00',
  day_begins_at: '08:00',
  day_ends_at: '20:00',
}

const accepts = (values: object) => !validate(settingsSchema, values).errors

describe('settings', () => {
  it('send only what differs', () => {
    expect(differing(now, { ...now })).toEqual({})
    expect(differing(now, { ...now, tell_nearest: 5, reminder_at: '19:30' })).toEqual({
      tell_nearest: 5,
      reminder_at: '19:30',
    })
  })

  it('have the same bounds as the API', () => {
    expect(accepts(now)).toBe(true)
    const wrong = [
      { answer_within_minutes: 0 },
      { travel_buffer_minutes: 241 },
      { tell_nearest: 51 },
      { reminder_at: '24:00' },
      { day_ends_at: '08:00' },
    ]
    expect(wrong.filter((change) => accepts({ ...now, ...change }))).toEqual([])
  })

  it('accept times with seconds', () => {
    expect(ofAnswer({ ...now, reminder_at: '18:00:00', timezone: 'Asia/Kolkata', currency: 'INR' })).toEqual(
      now,
    )
  })
})
