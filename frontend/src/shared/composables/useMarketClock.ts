/** The current day and the minutes since midnight in the marketplace's time zone, updated while a page is open. */
import { onScopeDispose, ref } from 'vue'
import { fromIso } from '@/shared/lib/marketTime'

export function useMarketClock() {
  const read = () => {
    const { day, time } = fromIso(new Date().toISOString())
    return { day, minutes: Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5)) }
  }
  const first = read()
  const today = ref(first.day)
  const minutes = ref(first.minutes)
  function tick(): void {
    const now = read()
    today.value = now.day
    minutes.value = now.minutes
  }
  const clock = window.setInterval(tick, 30_000)
  // A tab that slept over midnight shows the right day as soon as it is seen.
  document.addEventListener('visibilitychange', tick)
  onScopeDispose(() => {
    window.clearInterval(clock)
    document.removeEventListener('visibilitychange', tick)
  })
  return { today, minutes }
}
