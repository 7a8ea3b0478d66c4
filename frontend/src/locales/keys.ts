/** The keys of the English texts, one namespace per file: a key that is not among them fails the type check. */
interface English {
  accounts: typeof import('./en/accounts.json')
  activity: typeof import('./en/activity.json')
  agenda: typeof import('./en/agenda.json')
  audit: typeof import('./en/audit.json')
  checklists: typeof import('./en/checklists.json')
  common: typeof import('./en/common.json')
  conversations: typeof import('./en/conversations.json')
  dashboard: typeof import('./en/dashboard.json')
  deliveries: typeof import('./en/deliveries.json')
  errors: typeof import('./en/errors.json')
  exports: typeof import('./en/exports.json')
  favourites: typeof import('./en/favourites.json')
  jobs: typeof import('./en/jobs.json')
  market: typeof import('./en/market.json')
  nav: typeof import('./en/nav.json')
  notifications: typeof import('./en/notifications.json')
  photos: typeof import('./en/photos.json')
  offers: typeof import('./en/offers.json')
  prices: typeof import('./en/prices.json')
  professionals: typeof import('./en/professionals.json')
  profiles: typeof import('./en/profiles.json')
  reports: typeof import('./en/reports.json')
  requests: typeof import('./en/requests.json')
  reviews: typeof import('./en/reviews.json')
  search: typeof import('./en/search.json')
  status: typeof import('./en/status.json')
  synonyms: typeof import('./en/synonyms.json')
  tasks: typeof import('./en/tasks.json')
  users: typeof import('./en/users.json')
  validation: typeof import('./en/validation.json')
  visits: typeof import('./en/visits.json')
}

type Leaves<T> = {
  [K in keyof T & string]: T[K] extends string ? K : `${K}.${Leaves<T[K]>}`
}[keyof T & string]

/** The key of a text, as in `status.accepted`. */
export type TextKey = Leaves<English>

/** The last words of the keys that begin with these: `Under<'status'>` is `'requested' | 'accepted' | ...`. */
export type Under<Start extends string> = TextKey extends infer Key
  ? Key extends `${Start}.${infer Rest}`
    ? Rest
    : never
  : never
