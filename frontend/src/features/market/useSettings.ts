/** The marketplace's settings, changed one by one, without overwriting another admin's changes unseen. */
import { useQuery } from '@tanstack/vue-query'
import {
  getSettings,
  getSettingsQueryKey,
  updateSettings,
  type MarketSettings,
  type SettingsEdit,
} from '@/shared/api/generated'
import { createAdminBody, updateSettingsBody } from '@/shared/api/generated/schemas'
import { ifMatch, versioned } from '@/shared/api/etag'
import { useApiMutation } from '@/shared/composables/useApiMutation'
import { i18n } from '@/shared/lib/i18n'
import { v } from '@/shared/lib/schema'

export const settingsSchema = v.pipe(
  v.required(updateSettingsBody),
  v.forward(
    v.check(
      ({ day_begins_at: begins, day_ends_at: ends }) => begins < ends,
      () => i18n.global.t('market.dayOrder'),
    ),
    ['day_ends_at'],
  ),
)
export const startCodes = ['off', 'offered', 'required'] as const
export const contacts = ['shown', 'masked'] as const
export const visitReminders = ['off', 'on'] as const
export type Settings = v.InferOutput<typeof settingsSchema>
export const names = v.keyof(settingsSchema).options

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
    start_code,
    contact,
    visit_reminders,
    extra_work_cap_percent,
    extra_work_reasons,
    offer_valid_hours,
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
    start_code,
    contact,
    visit_reminders,
    extra_work_cap_percent,
    extra_work_reasons,
    offer_valid_hours,
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

/** The form has no phone. */
export const adminSchema = v.omit(createAdminBody, ['phone'])
export type NewAdmin = v.InferOutput<typeof adminSchema>
