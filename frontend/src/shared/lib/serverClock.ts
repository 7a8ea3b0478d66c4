/** The server's time, from the `Date` of its answers: a device's clock may be minutes off. */

/** In milliseconds; never ahead of the server, since `Date` has whole seconds. */
let offset = 0
/** What differs by less is the rounding of `Date` and the time on the line. */
const jitter = 2_000

export function noteServerDate(date: unknown): void {
  const time = typeof date === 'string' ? Date.parse(date) : NaN
  if (Number.isNaN(time)) return
  const seen = time - Date.now()
  if (offset === 0 || Math.abs(seen - offset) > jitter) offset = seen
}

/** What the server's clock showed when the device's showed this, in milliseconds since 1970. */
export const toServerTime = (deviceTime: number): number => deviceTime + offset
