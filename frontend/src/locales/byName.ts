/** { './common.json': texts } → { common: texts } */
export function byName(files: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(files).map(([path, texts]) => [path.replace(/^\.\/|\.json$/g, ''), texts]))
}
