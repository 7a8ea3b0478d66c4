/** A path inside the application to go on to after signing in; anything else is ignored. */
export function safeNext(next: unknown): string | null {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : null
}
