/** The bounds of the marketplace's settings, the same as in the API. */
const week = 10_080

export const bounds = {
  answer_within_minutes: { min: 1, max: week },
  min_notice_minutes: { min: 0, max: week },
  free_cancel_minutes: { min: 0, max: week },
  travel_buffer_minutes: { min: 0, max: 240 },
  tell_nearest: { min: 0, max: 50 },
} as const
export type Bounded = keyof typeof bounds
export const bounded = Object.keys(bounds) as Bounded[]
