/** Going through those who wait, one after the other: what was decided leaves at once, the next one is there already. */
import { computed, onScopeDispose, reactive, ref, watch } from 'vue'
import type { UserAccount } from '@/shared/api/types'
import { useDecision, useDocumentAhead, useWaitingList, type Decision } from './useApproval'

/** So many from the end of what is loaded, the rest is asked for. */
const ahead = 5
/** Milliseconds in which nobody has looked at what just came up: a click or key meant for the one before ends in them. */
const settling = 700

export function useQueue() {
  const list = useWaitingList()
  const decision = useDecision()
  const prepare = useDocumentAhead()
  const decided = reactive(new Set<number>())
  const chosen = ref<number | null>(null)

  const people = computed(() => list.items.value.filter((one) => !decided.has(one.id)))
  const at = computed(() =>
    Math.max(
      0,
      people.value.findIndex((one) => one.id === chosen.value),
    ),
  )
  const person = computed<UserAccount | undefined>(() => people.value[at.value])

  const settled = ref(false)
  const replaced = ref(false)
  const reviewed = new Map<number, number>()
  let timer: number | undefined
  // At once, not with the next drawing: the second half of a double click comes before it.
  watch(
    [() => person.value?.id, () => person.value?.document?.id],
    ([id, document]) => {
      settled.value = false
      window.clearTimeout(timer)
      timer = window.setTimeout(() => (settled.value = true), settling)
      if (id === undefined || document === undefined) return
      const before = reviewed.get(id)
      replaced.value = before !== undefined && before !== document
      reviewed.set(id, document)
    },
    { immediate: true, flush: 'sync' },
  )
  onScopeDispose(() => window.clearTimeout(timer))
  /** Whether a decision would be about what has been on the screen for a moment, with none on its way. */
  const ready = computed(() => settled.value && !decision.isPending.value && decided.size === 0)

  function choose(id: number | undefined): void {
    if (id !== undefined) chosen.value = id
  }
  const step = (by: 1 | -1) => choose(people.value[at.value + by]?.id)

  // The professional under review stays the same when the list is refetched; the next one's document is prefetched.
  watch(
    person,
    (now) => {
      chosen.value = now?.id ?? null
      prepare(people.value[at.value + 1])
      if (list.hasMore.value && !list.loadingMore.value && at.value >= people.value.length - ahead)
        void list.more()
    },
    { immediate: true },
  )

  /** Throws what the call threw; then the person is back in the queue, and in view. */
  async function decide(one: UserAccount, how: Decision): Promise<void> {
    const following = people.value[at.value + 1] ?? people.value[at.value - 1]
    decided.add(one.id)
    if (chosen.value === one.id) choose(following?.id)
    try {
      await decision.send({ person: one, ...how })
    } catch (error) {
      choose(one.id)
      throw error
    } finally {
      decided.delete(one.id)
    }
  }

  return { list, people, person, at, ready, replaced, choose, step, decide }
}
