/** The marketplace's settings, changed one by one, without overwriting another admin's changes unseen. */
import { useQuery } from '@tanstack/vue-query'
import {
  getSettings,
  getSettingsQueryKey,
  updateSettings,
  type MarketSettings,
  type SettingsEdit,
} from '@/shared/api/generated'
import { ifMatch, versioned } from '@/shared/api/etag'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { i18n } from '@/shared/lib/i18n'
import { fields, z } from '@/shared/lib/schema'
import { bounds, type Bounded } from './bounds'

const within = (name: Bounded) => z.number().int().min(bounds[name].min).max(bounds[name].max)
const time = () =>
  z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: () => i18n.global.t('market.time') })

export const settingsSchema = z
  .object({
    answer_within_minutes: within('answer_within_minutes'),
    min_notice_minutes: within('min_notice_minutes'),
    free_cancel_minutes: within('free_cancel_minutes'),
    travel_buffer_minutes: within('travel_buffer_minutes'),
    tell_nearest: within('tell_nearest'),
    reminder_at: time(),
    day_begins_at: time(),
    day_ends_at: time(),
  })
  .refine(({ day_begins_at: begins, day_ends_at: ends }) => begins < ends, {
    path: ['day_ends_at'],
    error: () => i18n.global.t('market.dayOrder'),
  })
export type Settings = z.infer<typeof settingsSchema>
export const names = Object.keys(settingsSchema.shape) as (keyof Settings)[]

/** Only what differs is sent, so that two admins can change two things at once. */
export function differing(before: Settings, after: Settings): SettingsEdit {
  return Object.fromEntries(
    names.filter((name) => before[name] !== after[name]).map((name) => [name, after[name]]),
  )
}

/** "18:00:00" and "18:00" are the same time of day. */
export function ofAnswer(settings: MarketSettings): Settings {
  const short = (text: string) => text.slice(0, 5)
  const {
    answer_within_minutes,
    min_notice_minutes,
    free_cancel_minutes,
    travel_buffer_minutes,
    tell_nearest,
  } = settings
  return {
    answer_within_minutes,
    min_notice_minutes,
    free_cancel_minutes,
    travel_buffer_minutes,
    tell_nearest,
    reminder_at: short(settings.reminder_at),
    day_begins_at: short(settings.day_begins_at),
    day_ends_at: short(settings.day_ends_at),
  }
}

/** The settings with their version, which an edit names. */
export function useSettings() {
  return useQuery({
    queryKey: [...getSettingsQueryKey(), 'with version'],
    queryFn: async ({ signal }) => versioned(await getSettings({ signal })),
  })
}

export function useSaveSettings() {
  return useApiMutation(
    {
      mutationFn: async ({ etag, ...body }: SettingsEdit & { etag: string | undefined }) =>
        versioned(await updateSettings({ body, headers: ifMatch(etag) })),
    },
    { invalidates: ['Settings'] },
  )
}

export const adminSchema = z.object({
  username: fields.username(),
  email: fields.email(),
  password: fields.password(),
  firstname: fields.name(),
  lastname: fields.name(),
  address: fields.address(),
  pincode: fields.pincode(),
})
export type NewAdmin = z.infer<typeof adminSchema>
