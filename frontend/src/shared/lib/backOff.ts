/** When to look again at work that runs elsewhere: soon while it moves, ever later while it does not. */
const first = 1_000
const last = 15_000

/** A function that is told what it looks like now (any text), and says how many milliseconds to wait; false when nothing runs. */
export function backOff(): (now: string | null) => number | false {
  let before: string | null = null
  let wait = first
  return (now) => {
    if (now === null) {
      before = null
      wait = first
      return false
    }
    wait = now === before ? Math.min(last, wait * 1.5) : first
    before = now
    return wait
  }
}
