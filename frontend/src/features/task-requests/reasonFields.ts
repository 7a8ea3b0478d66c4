/** What is typed with an action: its limits, from the contract. */
import {
  cancelRequestBody,
  closeRequestBody,
  rejectRequestBody,
  releaseRequestBody,
} from '@/shared/api/generated/schemas'

export const remarks = closeRequestBody.entries.remarks
export const reasons = {
  cancel: cancelRequestBody.entries.reason,
  reject: rejectRequestBody.entries.reason,
  release: releaseRequestBody.entries.reason,
}
