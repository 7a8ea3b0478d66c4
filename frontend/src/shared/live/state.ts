/** Whether live updates arrive: pages poll only while they do not. Small, because every page loads it. */
let open = false

export const isLive = (): boolean => open

export function setLive(now: boolean): void {
  open = now
}
