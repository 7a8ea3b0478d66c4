/** Schemas of the forms around one request: asking, changing, reviewing. */
import { createRequestBody, reviewRequestBody, updateRequestBody } from '@/shared/api/generated/schemas'
import { i18n } from '@/shared/lib/i18n'
import { orEmpty, v } from '@/shared/lib/schema'

/** A day and a time are chosen, of which the call makes one time. */
const when = {
  day: v.pipe(v.string(), v.isoDate()),
  time: v.pipe(
    v.string(),
    v.isoTime(() => i18n.global.t('requests.when.missing')),
  ),
}

const { address, pincode, remarks, professional_id } = createRequestBody.entries
export const askSchema = v.object({
  ...when,
  // Left out they would be the account's own; here they are filled in with those, and shown.
  address: v.unwrap(address),
  pincode: v.unwrap(pincode),
  remarks: orEmpty(remarks),
  /** 0: anyone. */
  professional_id: v.union([v.literal(0), v.unwrap(professional_id)]),
})

export const editSchema = v.object({
  ...when,
  ...v.pick(updateRequestBody, ['address', 'pincode', 'remarks']).entries,
})

const { rating, comment } = reviewRequestBody.entries
export const reviewSchema = v.object({
  rating: v.message(rating, () => i18n.global.t('requests.review.missing')),
  comment: orEmpty(comment),
})
