/** Work that one tab after another does. */

const patience = 20_000

/** Browsers offer locks over TLS and on localhost only; elsewhere, and while another tab does not let go, the work is done without. */
export async function oneTabAtATime<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (!('locks' in navigator)) return work()
  let started = false
  try {
    return await navigator.locks.request(name, { signal: AbortSignal.timeout(patience) }, () => {
      started = true
      return work()
    })
  } catch (error) {
    // A tab that the system has stopped in mid-call must not hold up the others.
    if (started) throw error
    return work()
  }
}
