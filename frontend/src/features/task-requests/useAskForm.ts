/** What a new request is asked with: the draft of an earlier visit, with what the link asks for on top. */
import { useQuery } from '@tanstack/vue-query'
import { computed, reactive, ref, watch, type Ref } from 'vue'
import type { LocationQuery } from 'vue-router'
import { useTaskProfessionals } from '@/features/tasks'
import { getRequestAgainOptions } from '@/shared/api/generated'
import { useDraft } from '@/shared/composables/useDraft'
import { uuid } from '@/shared/lib/uuid'
import { useSession } from '@/shared/session/store'

export function useAskForm(taskId: number, query: LocationQuery) {
  const { user } = useSession()
  const state = reactive({
    day: '',
    time: '',
    address: user?.address ?? '',
    pincode: user?.pincode ?? '',
    remarks: '',
    professional_id: 0,
    /** The same order, sent again after a lost answer, must not count twice. */
    key: uuid(),
    /** The link that filled the form: only another one replaces what was typed since. */
    link: '',
  })
  const draft = useDraft(`ask-${taskId}`, state)

  const pincode = typeof query.pincode === 'string' ? query.pincode : undefined
  const professional = /^\d{1,15}$/.test(String(query.professional)) ? Number(query.professional) : undefined
  const earlier = useEarlier(query)
  const link = `${pincode ?? ''}/${professional ?? ''}${earlier ? `/${String(query.again)}` : ''}`
  if (earlier)
    watch(
      earlier.data,
      (found) => {
        if (!found) return
        const { address, pincode: place, remarks, professional: person } = found
        if (link !== state.link)
          Object.assign(state, { address, pincode: place, remarks, link, professional_id: person?.id ?? 0 })
        // Also where the draft is from a time when they could be asked for.
        if (person && !person.available && state.professional_id === person.id) state.professional_id = 0
      },
      { immediate: true },
    )
  else if (link !== state.link) {
    if (pincode !== undefined && pincode !== state.pincode)
      Object.assign(state, { pincode, address: pincode === user?.pincode ? user.address : '' })
    if (professional !== undefined) state.professional_id = professional
    state.link = link
  }
  return { state, draft, earlier: computed(() => earlier?.data.value), ready: earlier?.ready ?? ref(true) }
}

/** The ended request that is sent again; a failure leaves the form as it is. */
function useEarlier(query: LocationQuery) {
  if (!/^\d{1,15}$/.test(String(query.again))) return undefined
  const found = useQuery({
    ...getRequestAgainOptions({ path: { request_id: Number(query.again) } }),
    staleTime: Infinity,
  })
  return { data: found.data, ready: computed(() => !found.isPending.value) }
}

const mostReads = 5

/** Professionals who serve a place. The chosen one may be on a later page, so pages are read until it is found. */
export function useCandidates(taskId: number, pincode: Ref<string | undefined>, chosen: () => number) {
  const list = useTaskProfessionals(taskId, pincode, () => pincode.value !== undefined)
  const reads = ref(0)
  watch(pincode, () => {
    reads.value = 0
  })
  const known = computed(
    () =>
      pincode.value !== undefined &&
      !list.loading.value &&
      !list.stale.value &&
      !list.loadingMore.value &&
      !list.error.value,
  )
  const missing = computed(
    () => known.value && chosen() !== 0 && !list.items.value.some((one) => one.id === chosen()),
  )
  watch(
    missing,
    (now) => {
      if (!now || !list.hasMore.value || reads.value >= mostReads) return
      reads.value += 1
      void list.more()
    },
    { immediate: true },
  )
  /** They do not serve this place: the whole list was read without finding them. */
  const gone = computed(() => missing.value && !list.hasMore.value)
  return { list, gone }
}
