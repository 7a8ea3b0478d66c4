import { numberFormat } from './formats'

/** Money comes as a string with two decimals and is never made a float. */
export function formatMoney(amount: string | null | undefined, currency: string, locale: string): string {
  if (amount === null || amount === undefined || amount === '') return '–'
  const format = numberFormat(locale, {
    style: 'currency',
    currency,
    trailingZeroDisplay: 'stripIfInteger',
  })
  return format.format(amount as `${number}`)
}
