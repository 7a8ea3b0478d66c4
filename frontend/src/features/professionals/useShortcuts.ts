/** Single keys that do something on a page. They can be switched off, and keep still while someone types or is asked. */
import { onBeforeUnmount, onMounted, ref, watch } from 'vue'
import { local } from '@/shared/lib/storage'

const kept = 'doorstep-keys'
const busy = 'input, textarea, select, [contenteditable], [role="menu"]'

export function useShortcuts(actions: Record<string, () => unknown>) {
  const on = ref(local.get(kept) !== 'off')
  watch(on, (now) => local.set(kept, now ? 'on' : 'off'))

  function hear(event: KeyboardEvent): void {
    const action = actions[event.key.toLowerCase()]
    if (!on.value || !action || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return
    if (
      (event.target instanceof Element && event.target.closest(busy)) ||
      document.querySelector('[role="dialog"]')
    )
      return
    event.preventDefault()
    void action()
  }
  onMounted(() => document.addEventListener('keydown', hear))
  onBeforeUnmount(() => document.removeEventListener('keydown', hear))
  return { on }
}
