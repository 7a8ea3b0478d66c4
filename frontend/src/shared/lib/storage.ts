/** The browser's storage, which may be blocked or full: then nothing is kept, and nothing fails. */

export interface Kept {
  get: (key: string) => string | null
  set: (key: string, value: string) => void
  remove: (key: string) => void
  keys: () => string[]
}

/** `open` throws where storage is blocked, so it is called each time. */
function guarded(open: () => Storage): Kept {
  function attempt<T>(work: (storage: Storage) => T, otherwise: T): T {
    try {
      return work(open())
    } catch {
      return otherwise
    }
  }
  return {
    get: (key) => attempt((storage) => storage.getItem(key), null),
    set: (key, value) => attempt((storage) => storage.setItem(key, value), undefined),
    remove: (key) => attempt((storage) => storage.removeItem(key), undefined),
    keys: () =>
      attempt(
        (storage) => Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? ''),
        [],
      ),
  }
}

/** Kept in this browser. */
export const local = guarded(() => window.localStorage)
/** Kept in this tab. */
export const tab = guarded(() => window.sessionStorage)
