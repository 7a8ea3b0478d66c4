/** What a reminder led here for (`?action=...`). Nothing is done by opening a page, except what was pressed in a notification. */
import { nextTick, onMounted, toValue, type MaybeRefOrGetter } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import type { TaskRequest } from '@/shared/api/types'
import { takePress } from '@/shared/push/presses'

type Choice = 'on_time' | 'running_late'

export function useChoice(
  request: MaybeRefOrGetter<TaskRequest>,
  choices: Record<Choice, () => unknown>,
): void {
  const route = useRoute()
  const router = useRouter()

  onMounted(async () => {
    const wanted = (Object.keys(choices) as Choice[]).find((one) => one === route.query.action)
    if (!wanted) return
    const { id, visit_actions: possible } = toValue(request)
    const isPressed = await takePress(id, wanted)
    // The address is that of the page again, so that Back and a reload do not ask once more.
    await router.replace({ path: route.path, query: { ...route.query, action: undefined } })
    if (possible.includes(wanted) && (isPressed || wanted === 'running_late')) await choices[wanted]()
    await nextTick()
    const part = document.querySelector<HTMLElement>(`[data-choice=${wanted}]`)
    part?.scrollIntoView({ block: 'center' })
    part?.focus()
  })
}
