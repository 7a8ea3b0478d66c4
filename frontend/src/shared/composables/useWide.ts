/** Whether there is room beside a list: what a phone would only hide need not be drawn there. */
import { onScopeDispose, ref } from 'vue'

export function useWide(query = '(min-width: 64rem)') {
  const media = window.matchMedia(query)
  const wide = ref(media.matches)
  const follow = () => {
    wide.value = media.matches
  }
  media.addEventListener('change', follow)
  onScopeDispose(() => media.removeEventListener('change', follow))
  return wide
}
