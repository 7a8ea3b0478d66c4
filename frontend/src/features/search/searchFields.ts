/** The filters of the results in the URL. */
import { field, type readQuery } from '@/shared/composables/useUrlFilters'
import { isPincode } from '@/shared/lib/pincode'

export const sorts = ['relevance', 'price', 'rating', 'distance'] as const
export type Sort = (typeof sorts)[number]

/** What was typed as a place: six digits are a pincode, anything else a name. */
export function placeOf(typed: string): Pick<Filters, 'pincode' | 'location'> {
  const place = typed.trim()
  if (!place) return {}
  return isPincode(place) ? { pincode: place } : { location: place }
}

export const searchFields = {
  q: field.text,
  pincode: field.text,
  location: field.text,
  category: field.text,
  max_price: field.text,
  min_rating: field.text,
  radius_km: field.text,
  sort: field.oneOf(sorts),
}
export type Filters = ReturnType<typeof readQuery<typeof searchFields>>

/** Return the filters that make sense together. */
export function placed({ sort, location, ...rest }: Filters): Filters {
  // The form of the page drawn ahead has one field for both kinds of place.
  const filters: Filters = { ...rest, ...(location && placeOf(location)) }
  if (sort && (sort !== 'distance' || filters.pincode || filters.location)) filters.sort = sort
  return filters
}
