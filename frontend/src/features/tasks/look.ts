/** A mark for each kind of task; an unknown kind gets the plain one. */
const marks: [RegExp, string][] = [
  [/clean|maid|wash/i, 'i-lucide-sparkles'],
  [/plumb|water|pipe|bath/i, 'i-lucide-droplets'],
  [/electri|wiring|light/i, 'i-lucide-plug-zap'],
  [/paint|wall/i, 'i-lucide-paint-roller'],
  [/carpent|furnitur|wood/i, 'i-lucide-hammer'],
  [/cool|air|ac\b|hvac|heat/i, 'i-lucide-air-vent'],
  [/applian|fridge|machine/i, 'i-lucide-washing-machine'],
  [/pest/i, 'i-lucide-bug'],
  [/garden|plant|lawn/i, 'i-lucide-sprout'],
  [/beauty|hair|salon|groom|massage|wellness/i, 'i-lucide-scissors'],
  [/cook|food|kitchen/i, 'i-lucide-cooking-pot'],
  [/mov|pack|shift/i, 'i-lucide-package'],
  [/car\b|vehicle|bike/i, 'i-lucide-car'],
  [/security|lock|camera/i, 'i-lucide-lock-keyhole'],
  [/computer|tech|phone|wifi|network/i, 'i-lucide-laptop'],
]

export function markOf(category: string): string {
  return marks.find(([pattern]) => pattern.test(category))?.[1] ?? 'i-lucide-wrench'
}
