/** What an entry of the audit trail changed, field by field, in words. */
import { formatTime } from '@/shared/lib/time'

export interface Change {
  field: string
  before: string | null
  after: string | null
}

const moment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}.*(Z|[+-]\d{2}:?\d{2})$/

/** A value as a person reads it; null for nothing at all. */
export function inWords(
  value: unknown,
  locale: string,
  yesNo: readonly [string, string] = ['no', 'yes'],
): string | null {
  if (value === null || value === undefined || value === '') return null
  if (typeof value === 'boolean') return yesNo[Number(value)] ?? null
  if (typeof value === 'string') return moment.test(value) ? formatTime(value, 'full', locale) : value
  if (Array.isArray(value))
    return value.length ? value.map((one) => inWords(one, locale, yesNo) ?? '–').join(', ') : null
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, one]) => `${name}: ${inWords(one, locale, yesNo) ?? '–'}`)
      .join(', ')
  return String(value)
}

/** Fields that are read first, in this order; the others follow as they come. */
const order = ['name', 'username', 'reason', 'note', 'from', 'to']
const rank = (field: string) => order.indexOf(field) + 1 || order.length + 1

/** Fields that differ, or that one side alone tells of; what stayed the same is left out. */
export function changesOf(
  before: object | null,
  after: object | null,
  locale: string,
  yesNo?: readonly [string, string],
): Change[] {
  const was = (before ?? {}) as Record<string, unknown>
  const is = (after ?? {}) as Record<string, unknown>
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .sort((a, b) => rank(a) - rank(b))
    .filter((field) => JSON.stringify(was[field]) !== JSON.stringify(is[field]))
    .map((field) => ({
      field,
      before: inWords(was[field], locale, yesNo),
      after: inWords(is[field], locale, yesNo),
    }))
    .filter((change) => change.before !== null || change.after !== null)
}
