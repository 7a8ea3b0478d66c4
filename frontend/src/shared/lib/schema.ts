/** zod with our texts: forms import `z` from here, so that each message is in the person's language. */
import { z } from 'zod'
import { i18n } from './i18n'
import { pincodePattern } from './pincode'

// Without eval: the content policy refuses it, and zod need not find that out by trying.
z.config({
  jitless: true,
  customError: (issue) => {
    const t = i18n.global.t
    if (issue.code === 'too_small') {
      if (issue.origin !== 'string') return t('validation.min', { min: String(issue.minimum) })
      return issue.input === ''
        ? t('validation.required')
        : t('validation.minLength', { min: String(issue.minimum) })
    }
    if (issue.code === 'too_big') {
      return t(issue.origin === 'string' ? 'validation.maxLength' : 'validation.max', {
        max: String(issue.maximum),
      })
    }
    if (issue.code === 'invalid_format')
      return t(`validation.${issue.format === 'email' ? 'email' : 'format'}`)
    if (issue.code === 'invalid_type')
      return t(
        issue.input === undefined || issue.input === null ? 'validation.required' : 'validation.format',
      )
    return t('validation.format')
  },
})

export { z }

/** The contract's fields, once. */
export const fields = {
  username: () =>
    z
      .string()
      .trim()
      .min(3)
      .max(30)
      .regex(/^[A-Za-z0-9._-]+$/, { error: () => i18n.global.t('validation.username') }),
  email: () => z.email(),
  password: () => z.string().min(8).max(1024),
  name: () => z.string().trim().min(1).max(100),
  address: () => z.string().trim().min(1).max(500),
  pincode: () => z.string().regex(pincodePattern, { error: () => i18n.global.t('validation.pincode') }),
  phone: () => z.string().trim().max(30).optional(),
  exp: () => z.number().int().min(0).max(60),
  reason: () => z.string().trim().min(3).max(500),
  remarks: () => z.string().trim().max(2000).optional(),
}

/** One of these words, where none is chosen at first. */
export const choiceOf = <const T extends readonly [string, ...string[]]>(words: T) =>
  z
    .enum(words)
    .optional()
    .transform((word, context) => {
      if (word !== undefined) return word
      context.addIssue({ code: 'custom', message: i18n.global.t('validation.required') })
      return z.NEVER
    })
