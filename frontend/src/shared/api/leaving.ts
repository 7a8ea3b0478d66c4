/** A call that outlives its page: sent while the page goes away, its answer read by nobody. */
import { getToken } from './token'

export function leave(path: string, body: object): void {
  const token = getToken()
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }
  void fetch(path, { method: 'POST', keepalive: true, headers, body: JSON.stringify(body) }).catch(
    () => undefined,
  )
}
