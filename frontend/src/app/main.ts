import '@/styles/main.css'
import { watch } from 'vue'
import { reportError, watchAppStatus } from '@/shared/lib/appStatus'
import { startLanguage } from '@/shared/lib/i18n'
import { once } from '@/shared/lib/once'
import { keptAccount } from '@/shared/session/kept'
import { useSession } from '@/shared/session/store'
import { createDoorstep } from './create'
import { router } from './router'
import { connectLiveUpdates } from './liveUpdates'
import { connectSession } from './session'
import { mountAndSend } from './mountAndSend'

/** Between two steps the browser may answer a touch: in one go they hold up a slow phone. */
const breath = () => new Promise((resolve) => setTimeout(resolve))

async function start(): Promise<void> {
  const app = createDoorstep()
  connectSession()
  const sent = document.documentElement.lang
  await startLanguage()
  await breath()
  app.use(router)
  // The first guard waits for the session, so that nobody sees a page or a menu flash that is not theirs.
  await router.isReady()
  await breath()
  const root = document.getElementById('app')
  if (!root) return
  // A prerendered page is a visitor's, in the language that the server took for theirs.
  if (useSession().signedIn || document.documentElement.lang !== sent) root.replaceChildren()
  await mountAndSend(root, () => app.mount(root))
  app.runWithContext(connectLiveUpdates)
  followOffline()
}

const startOffline = once(async () => (await import('./offline')).workOffline())

/** Visitors have nothing to keep, and load nothing for it. */
function followOffline(): void {
  const session = useSession()
  watch(
    () => session.signedIn || keptAccount() !== null,
    (isKept) => {
      if (isKept) void startOffline()
    },
    { immediate: true },
  )
}

watchAppStatus()
try {
  await start()
} catch (error) {
  reportError(error)
  // index.html says so, with a way to load the page again.
  window.dispatchEvent(new Event('doorstep:unstarted'))
}
