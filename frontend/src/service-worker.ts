/** The service worker: registered for who is signed in (src/app/offline.ts), and for push messages. */
import './worker/offline'
import './worker/push'
