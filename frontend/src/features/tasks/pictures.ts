/** The built-in pictures that a task can be shown with: the set of the API, a file each. */
import type { NewTask } from '@/shared/api/generated'

export type Picture = NonNullable<NewTask['picture']>

const files = import.meta.glob<string>('./pictures/*.svg', { query: '?url', import: 'default', eager: true })
export const addresses = new Map(
  Object.entries(files).map(([path, address]) => [path.replace(/^.*\/(.+)\.svg$/, '$1'), address]),
)

export const pictures = [...addresses.keys()].sort() as Picture[]

/** What a task of this kind is shown with as long as nobody chose a picture for it. */
export const kinds: [RegExp, Picture][] = [
  [/laundry|iron/i, 'laundry'],
  [/bath|toilet/i, 'bathroom'],
  [/clean|maid|wash/i, 'cleaning'],
  [/plumb|pipe/i, 'plumbing'],
  [/water/i, 'water'],
  [/electri|wiring|light/i, 'electrical'],
  [/paint|wall|renovat/i, 'painting'],
  [/carpent|wood|repair/i, 'carpentry'],
  [/furnitur|sofa/i, 'furniture'],
  [/cool|air|ac\b|hvac|heat/i, 'air-conditioner'],
  [/applian|fridge|machine/i, 'appliance'],
  [/pest/i, 'pest-control'],
  [/garden|plant|lawn/i, 'garden'],
  [/beauty|hair|salon|groom/i, 'beauty'],
  [/massage|wellness|yoga/i, 'wellness'],
  [/cook|food|kitchen/i, 'cooking'],
  [/mov|pack|shift/i, 'moving'],
  [/security|lock|camera/i, 'security'],
  [/tutor|lesson|teach/i, 'tutoring'],
]

export const pictureFor = (category: string): Picture =>
  kinds.find(([pattern]) => pattern.test(category))?.[1] ?? 'home'

/** Where a picture lies; for none, and for one newer than this application, that of its category. */
export function addressOf(picture: string | null | undefined, category: string): string | undefined {
  return addresses.get(picture ?? '') ?? addresses.get(pictureFor(category))
}
