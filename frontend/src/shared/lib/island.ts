/** Parts of a prerendered page that become alive later than the page: it can be used, and is complete to look at, before they are loaded. */
import {
  defineAsyncComponent,
  defineComponent,
  getCurrentInstance,
  h,
  shallowRef,
  watch,
  type Component,
} from 'vue'
import { loadData } from './data'
import { i18n } from './i18n'
import { whenIdle } from './idle'
import { pressedIn } from './pressedEarly'

/** When a part is loaded, given the element that was prerendered for it. */
type When = (element: Element) => Promise<unknown>

/** When it is touched for the first time; at once where the focus is in it already. */
export const onTouch: When = (element) =>
  new Promise<void>((resolve) => {
    if (element.contains(document.activeElement)) return resolve()
    for (const name of ['pointerdown', 'focusin'])
      element.addEventListener(name, () => resolve(), { once: true, passive: true })
  })

/** When the browser has nothing else to do. */
export const onIdle: When = whenIdle

/** When it is on the screen or close to it, and the browser has nothing else to do. */
export const onView: When = async (element) => {
  await new Promise<void>((resolve) => {
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some((one) => one.isIntersecting)) return
        near.disconnect()
        resolve()
      },
      { rootMargin: '50%' },
    )
    near.observe(element)
  })
  await whenIdle()
}

/**
 * Return the part as a component. Where nothing was prerendered it loads at once; `preload` brings it in before a page that is
 * opened inside of the application, so that nothing is missing there for a moment. Vue's own strategies delay the hydration, but
 * load the part at once.
 */
export function island<T extends Component>(load: () => Promise<{ default: T }>, when: When) {
  let loaded: T | null = null
  async function preload(): Promise<T> {
    const [part] = await Promise.all([load(), loadData()])
    loaded = part.default
    return loaded
  }
  const part = defineComponent({
    name: 'AppIsland',
    inheritAttrs: false,
    setup(_, { attrs, slots }) {
      const sent = getCurrentInstance()?.vnode.el
      const loader = async () => {
        if (!sent || !(sent instanceof Element)) return preload()
        await when(sent)
        const alive = await preload()
        // Vue hydrates it in the microtasks that follow, before any other press.
        const early = pressedIn(sent)
        setTimeout(() => early?.click())
        return alive
      }
      const shown = shallowRef<Component>((sent ? null : loaded) ?? defineAsyncComponent(loader))
      // A part that is not alive would keep the words of the language before.
      watch(i18n.global.locale, async () => {
        if (!loaded) shown.value = await preload()
      })
      return () => h(shown.value, attrs, slots)
    },
  })
  return Object.assign(part as unknown as T, { preload })
}
