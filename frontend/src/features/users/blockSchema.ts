/** The schema of the form that blocks an account. */
import { blockUserBody } from '@/shared/api/generated/schemas'
import { chosen, orEmpty, v } from '@/shared/lib/schema'

const { note: remark, reason: why } = blockUserBody.entries
export const blockSchema = v.object({ reason: chosen(why), note: orEmpty(remark) })
