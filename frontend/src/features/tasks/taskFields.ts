/** What the form of a task holds, and how it stands beside what the API speaks. */
import { i18n } from '@/shared/lib/i18n'
import { bounds } from '@/features/market'
import type { TaskPolicy, TaskPolicyInput } from '@/shared/api/generated'
import type { Task } from '@/shared/api/types'
import { z } from '@/shared/lib/schema'
import { pictures, type Picture } from './pictures'

/** Minutes that a task may override; empty: the marketplace's settings apply. */
export const rules = [
  'answer_within_minutes',
  'min_notice_minutes',
  'free_cancel_minutes',
  'travel_buffer_minutes',
] as const
export type Rule = (typeof rules)[number]

function ownMinutes(rule: Rule) {
  const { min, max } = bounds[rule]
  return z
    .string()
    .trim()
    .refine((text) => text === '' || (/^\d{1,5}$/.test(text) && Number(text) >= min && Number(text) <= max), {
      error: () => i18n.global.t('validation.wholeBetween', { min, max }),
    })
}

const price = { error: () => i18n.global.t('validation.price') }
export const taskSchema = z.object({
  name: z.string().trim().min(1).max(100),
  description: z.string().trim().min(1).max(2000),
  category: z.string().trim().min(1).max(100),
  base_price: z
    .string()
    .trim()
    .regex(/^\d{1,8}(\.\d{1,2})?$/, price)
    .refine((text) => Number(text) > 0 && Number(text) <= 10_000_000, price),
  time_required: z.number().int().min(5).max(1440),
  isactive: z.boolean(),
  picture: z.enum(pictures).nullable(),
  search_words: z.array(z.string().trim().min(1).max(100)).max(20),
  answer_within_minutes: ownMinutes('answer_within_minutes'),
  min_notice_minutes: ownMinutes('min_notice_minutes'),
  free_cancel_minutes: ownMinutes('free_cancel_minutes'),
  travel_buffer_minutes: ownMinutes('travel_buffer_minutes'),
})
export type FormValues = z.infer<typeof taskSchema>
export type TaskValues = Omit<FormValues, Rule>
export type Field = keyof FormValues
const own = [
  'name',
  'description',
  'category',
  'base_price',
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
}
export const blank = (): FormValues => ({
  name: '',
  description: '',
  category: '',
  base_price: '',
  time_required: 60,
  isactive: true,
  picture: null,
  search_words: [],
  ...noRules,
})

/** A task as it was read, in the form's terms. */
export function valuesOf(task: Task, policy: TaskPolicy): FormValues {
  const { name, description, category, base_price, time_required } = task
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
    time_required,
    isactive: task.isactive === 1,
    picture,
    search_words: [...(task.search_words ?? [])],
    ...minutes,
  }
}

export function taskOf(values: FormValues): TaskValues {
  const { name, description, category, base_price, time_required, isactive, picture, search_words } = values
  return { name, description, category, base_price, time_required, isactive, picture, search_words }
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
  return Object.fromEntries(changed.map((rule) => [rule, after[rule] === '' ? null : Number(after[rule])]))
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
