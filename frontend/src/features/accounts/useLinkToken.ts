/** The token of a mailed link. It comes in the fragment, which no server sees, and leaves the address at once. */
import { useRoute, useRouter } from 'vue-router'

interface Kept {
  linkToken?: unknown
}

/** Empty when the link was not complete. A reload keeps it; links of earlier emails have it in the query. */
export function useLinkToken(): string {
  const route = useRoute()
  const router = useRouter()
  const query = typeof route.query.token === 'string' ? route.query.token : null
  const sent = new URLSearchParams(route.hash.slice(1)).get('token') ?? query
  if (sent) {
    void router.replace({ path: route.path, state: { linkToken: sent } })
    return sent
  }
  const kept = (window.history.state as Kept | null)?.linkToken
  return typeof kept === 'string' ? kept : ''
}
