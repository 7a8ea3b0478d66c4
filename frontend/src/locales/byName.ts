export interface Texts {
  [key: string]: string | Texts
}

/** Loaders of sets of texts by their names. */
export type Sets = Record<string, () => Promise<{ default: Texts }>>

/** { './common.json': texts } → { common: texts } */
export function byName(files: Record<string, Texts>): Texts {
  return Object.fromEntries(
    Object.entries(files).map(([path, texts]) => [path.replace(/^\.\/|\.json$/g, ''), texts]),
  )
}
