/** Nuxt UI, for parts of plain pages that open a menu or a dialog of it. */

let load: () => Promise<unknown> = () => Promise.resolve()

export function connectParts(how: typeof load): void {
  load = how
}

/** Load a part that is made of Nuxt UI, together with it. */
export async function loadPart<Part>(part: () => Promise<{ default: Part }>): Promise<Part> {
  const [loaded] = await Promise.all([part(), load()])
  return loaded.default
}
