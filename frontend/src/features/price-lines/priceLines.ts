/** What price lines add up to, and where they are shown. */
import type { PriceLine, PriceLines } from '@/shared/api/generated'
import type { TaskRequestDetail } from '@/shared/api/types'

export const kinds = ['extra', 'material', 'discount'] as const
export type Kind = (typeof kinds)[number]

export const lineIcons: Record<string, string> = {
  propose_line: 'i-lucide-receipt-text',
  approve_line: 'i-lucide-circle-check',
  decline_line: 'i-lucide-circle-x',
  withdraw_line: 'i-lucide-undo-2',
}

/** Whether there is something to show or to do about the price: most requests have no lines, and need no call. */
export function hasPriceLines(request: TaskRequestDetail): boolean {
  return (
    request.price_actions.some((action) => action.endsWith('_line')) ||
    request.history.some(({ action }) => action in lineIcons)
  )
}

/** An amount of money in hundredths: whole numbers, so that sums are exact. */
export function inHundredths(amount: string): number {
  const [whole = '0', part = ''] = amount.replace('-', '').split('.')
  const value = Number(whole) * 100 + Number(part.padEnd(2, '0'))
  return amount.startsWith('-') ? -value : value
}

export function ofHundredths(value: number): string {
  const size = Math.abs(value)
  return `${value < 0 ? '-' : ''}${Math.floor(size / 100)}.${String(size % 100).padStart(2, '0')}`
}

/** The total if this line were approved as well. */
export function totalWith(total: string, line: Pick<PriceLine, 'amount'>): string {
  return ofHundredths(inHundredths(total) + inHundredths(line.amount))
}

/** The lines by where they stand: waiting ones need a decision, approved ones count, the others are kept to be read. */
export function sorted({ items }: Pick<PriceLines, 'items'>) {
  const of = (...states: PriceLine['state'][]) => items.filter(({ state }) => states.includes(state))
  return { waiting: of('proposed'), approved: of('approved'), past: of('declined', 'withdrawn') }
}

/** What a line being typed amounts to, rounded half up as the server does; null while a part of it is not a number. */
export function amountOf(typed: { kind: Kind; quantity: string; unit_amount: string }): string | null {
  const quantity = /^(\d{1,5})(?:\.(\d{1,3}))?$/.exec(typed.quantity.trim())
  if (!quantity || !/^\d{1,8}(\.\d{1,2})?$/.test(typed.unit_amount.trim())) return null
  const thousandths = BigInt(`${quantity[1] ?? ''}${(quantity[2] ?? '').padEnd(3, '0')}`)
  const exact = thousandths * BigInt(inHundredths(typed.unit_amount.trim()))
  const hundredths = Number((exact + 500n) / 1000n)
  if (hundredths === 0) return null
  return ofHundredths(typed.kind === 'discount' ? -hundredths : hundredths)
}
