/** What the form of a task holds, and how it stands beside what the API speaks. */
import { i18n } from '@/shared/lib/i18n'
import type { TaskPolicy, TaskPolicyInput } from '@/shared/api/generated'
import { createTaskBody, putTaskPolicyBody } from '@/shared/api/generated/schemas'
import type { Task } from '@/shared/api/types'
import { limitsOf, v } from '@/shared/lib/schema'
import { pictures, type Picture } from './pictures'

/** Minutes that a task may override; empty: the marketplace's settings apply. */
export const rules = [
  'answer_within_minutes',
  'min_notice_minutes',
  'free_cancel_minutes',
  'travel_buffer_minutes',
] as const
export type Rule = (typeof rules)[number]
/** What a task may say about the start code; "general": the marketplace's setting applies. */
export const startCodes = ['general', 'off', 'offered', 'required'] as const

/** A rule is typed as text, which may stay empty; the contract has a number. */
function ownMinutes(rule: Rule) {
  const minutes = putTaskPolicyBody.entries[rule]
  const { min = 0, max = 0 } = limitsOf(minutes)
  return v.pipe(
    v.string(),
    v.trim(),
    v.check(
      (text) => text === '' || (/^\d{1,5}$/.test(text) && v.is(minutes, Number(text))),
      () => i18n.global.t('validation.wholeBetween', { min, max }),
    ),
  )
}

const {
  base_price: price,
  isactive: offered,
  pricing: agreed,
  picture: shown,
  search_words: keywords,
  ...plain
} = createTaskBody.entries
/** The contract takes a price as text, as it is typed, or as a number, which has the limits. */
const [written, amount] = price.options
export const taskSchema = v.object({
  ...plain,
  base_price: v.pipe(
    written,
    v.check(
      (text) => v.is(amount, Number(text)),
      () => i18n.global.t('validation.price'),
    ),
  ),
  pricing: v.unwrap(agreed),
  isactive: v.unwrap(offered).options[1],
  picture: v.nullable(v.unwrap(shown)),
  search_words: v.unwrap(keywords),
  answer_within_minutes: ownMinutes('answer_within_minutes'),
  min_notice_minutes: ownMinutes('min_notice_minutes'),
  free_cancel_minutes: ownMinutes('free_cancel_minutes'),
  travel_buffer_minutes: ownMinutes('travel_buffer_minutes'),
  start_code: v.picklist(startCodes),
})
export type FormValues = v.InferOutput<typeof taskSchema>
export type TaskValues = Omit<FormValues, Rule | 'start_code'>
export type Field = keyof FormValues
const own = [
  'name',
  'description',
  'category',
  'base_price',
  'pricing',
  'time_required',
  'isactive',
  'picture',
  'search_words',
] as const

const noRules = {
  answer_within_minutes: '',
  min_notice_minutes: '',
  free_cancel_minutes: '',
  travel_buffer_minutes: '',
  start_code: 'general' as const,
}
export const blank = (): FormValues => ({
  name: '',
  description: '',
  category: '',
  base_price: '',
  pricing: 'fixed',
  time_required: 60,
  isactive: true,
  picture: null,
  search_words: [],
  ...noRules,
})

/** A task as it was read, in the form's terms. */
export function valuesOf(task: Task, policy: TaskPolicy): FormValues {
  const { name, description, category, base_price, pricing, time_required } = task
  const picture = pictures.includes(task.picture as Picture) ? (task.picture as Picture) : null
  const minutes = Object.fromEntries(rules.map((rule) => [rule, policy[rule]?.toString() ?? ''])) as Record<
    Rule,
    string
  >
  return {
    name,
    description,
    category,
    base_price,
    pricing,
    time_required,
    isactive: task.isactive === 1,
    picture,
    search_words: [...(task.search_words ?? [])],
    ...minutes,
    start_code: policy.start_code ?? 'general',
  }
}

export function taskOf(values: FormValues): TaskValues {
  const { name, description, category, base_price, pricing, time_required, isactive, picture, search_words } =
    values
  return { name, description, category, base_price, pricing, time_required, isactive, picture, search_words }
}

export const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

/** Only what differs is sent, so that two admins can change two things at once. */
export function changedTask(before: FormValues, after: FormValues): Partial<TaskValues> {
  return Object.fromEntries(
    own.filter((field) => !same(before[field], after[field])).map((field) => [field, after[field]]),
  )
}

/** The rules that were changed. */
export function changedRules(before: FormValues, after: FormValues): TaskPolicyInput {
  const changed = rules.filter((rule) => before[rule] !== after[rule])
  const code = after.start_code === 'general' ? null : after.start_code
  return {
    ...Object.fromEntries(changed.map((rule) => [rule, after[rule] === '' ? null : Number(after[rule])])),
    ...(before.start_code !== after.start_code && { start_code: code }),
  }
}

/** A phone's keyboard may insert several words together, with commas; each is kept once. */
export function wordsOf(typed: readonly string[]): string[] {
  const words = typed
    .flatMap((one) => one.split(','))
    .map((word) => word.trim().replace(/\s+/g, ' '))
    .filter(Boolean)
  return words.filter(
    (word, index) => words.findIndex((other) => other.toLowerCase() === word.toLowerCase()) === index,
  )
}

export interface Clash {
  field: Field
  mine: unknown
  theirs: unknown
}
export interface News {
  /** What the other changed and this person had left alone. */
  taken: Field[]
  /** What both changed. */
  clashes: Clash[]
}

/** What someone else changed since the form was read. */
export function newsOf(before: FormValues, mine: FormValues, theirs: FormValues): News {
  const changed = (Object.keys(theirs) as Field[]).filter(
    (field) => !same(before[field], theirs[field]) && !same(mine[field], theirs[field]),
  )
  return {
    taken: changed.filter((field) => same(before[field], mine[field])),
    clashes: changed
      .filter((field) => !same(before[field], mine[field]))
      .map((field) => ({ field, mine: mine[field], theirs: theirs[field] })),
  }
}
