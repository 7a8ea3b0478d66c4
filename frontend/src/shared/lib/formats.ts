/** Numbers and dates in the format of the marketplace's country. `Intl` objects are expensive, so each is created once. */
import { market } from '@/shared/market'

/** The locale of each language in the marketplace's country. */
export const regional = (locale: string): string =>
  locale.includes('-') ? locale : `${locale}-${market.country}`

type Make<O, F> = new (locale: string, options: O) => F
function cached<O, F>(make: Make<O, F>): (locale: string, options: O) => F {
  const made = new Map<string, F>()
  return (locale, options) => {
    const region = regional(locale)
    const key = `${region} ${JSON.stringify(options)}`
    const known = made.get(key) ?? new make(region, options)
    made.set(key, known)
    return known
  }
}
export const dateFormat = cached<Intl.DateTimeFormatOptions, Intl.DateTimeFormat>(Intl.DateTimeFormat)
export const numberFormat = cached<Intl.NumberFormatOptions, Intl.NumberFormat>(Intl.NumberFormat)
export const relativeFormat = cached<Intl.RelativeTimeFormatOptions, Intl.RelativeTimeFormat>(
  Intl.RelativeTimeFormat,
)

/** 4 → "4.0" */
export const formatRating = (rating: number, locale: string): string =>
  numberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(rating)

/** Kilometres without their unit: one decimal below ten, none above. */
export const formatKm = (km: number, locale: string): string =>
  numberFormat(locale, { maximumFractionDigits: km < 10 ? 1 : 0 }).format(km)

/** 0.4 → "40%" */
export const formatPercent = (share: number, locale: string): string =>
  numberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(share)
