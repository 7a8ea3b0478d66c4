/** All that is known of a request, for admins, and its PDF. */
import { useQuery } from '@tanstack/vue-query'
import { computed, ref, toValue, type MaybeRefOrGetter } from 'vue'
import { getRequestActivity, getRequestActivityOptions, type ActivityEntry } from '@/shared/api/generated'
import { useToasts } from '@/shared/composables/useToasts'
import { formatTime } from '@/shared/lib/time'

export function useActivity(id: MaybeRefOrGetter<number>) {
  return useQuery(computed(() => getRequestActivityOptions({ path: { request_id: toValue(id) } })))
}

/** The file is private: it is requested with the access token and saved from memory. */
export function useEvidence() {
  const toasts = useToasts()
  const busy = ref(false)

  async function download(id: number, language: string): Promise<void> {
    busy.value = true
    try {
      const { data } = await getRequestActivity({
        path: { request_id: id },
        responseType: 'blob',
        headers: { Accept: 'application/pdf, application/problem+json', 'Accept-Language': language },
        timeout: 0,
      })
      const url = URL.createObjectURL(data as unknown as Blob)
      const link = document.createElement('a')
      link.href = url
      link.download = `request-${id}-activity.pdf`
      link.click()
      window.setTimeout(() => URL.revokeObjectURL(url), 10_000)
    } catch (error) {
      toasts.error(error)
    } finally {
      busy.value = false
    }
  }
  return { busy, download }
}

const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)

/** A value of an entry as text: times in the marketplace's zone, changes as what was and what is. */
export function valueOf(value: unknown, locale: string): string {
  if (Array.isArray(value)) return value.map((one) => valueOf(one, locale)).join(' → ')
  if (typeof value === 'string') return isTime(value) ? formatTime(value, 'full', locale) : value
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([name, one]) => `${name}: ${valueOf(one, locale)}`)
      .join(', ')
  return String(value)
}

/** Values of an entry that its title does not say already. */
export const detailsOf = ({ source, details }: ActivityEntry): [string, unknown][] =>
  Object.entries(details).filter(
    ([name, value]) => value !== null && !(source === 'deliveries' && name === 'kind'),
  )
