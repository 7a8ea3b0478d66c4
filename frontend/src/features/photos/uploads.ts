/**
 * Photos on their way. They are sent one after another, also after the page that took them was left, and wait here when one fails:
 * each has a key of its own, so that none is added twice.
 */
import { reactive, watch } from 'vue'
import { createRequestPhoto } from '@/shared/api/generated'
import { assertCurrent, currentIdentity, isCurrent, type Identity } from '@/shared/api/identity'
import { toProblem } from '@/shared/api/problem'
import { useUpload } from '@/shared/composables/useUpload'
import { appStatus } from '@/shared/lib/appStatus'
import { uuid } from '@/shared/lib/uuid'
import { shrink } from './shrink'
import type { Phase } from './usePhotos'

export interface PhotoUpload {
  key: string
  requestId: number
  phase: Phase
  /** The point of the checklist that it shows. */
  point: number | undefined
  file: File
  /** Once it is sent it stays until the page shows the photo in its place. */
  state: 'waiting' | 'sending' | 'sent' | 'failed'
  /** The problem for which it failed. */
  error: unknown
  owner: Identity
}

const uploads = reactive<PhotoUpload[]>([])
const { upload, progress } = useUpload()
let isRunning = false

/** In percent, of the one that is being sent; null while it is unknown. */
export { progress }

/** The photos of this request that are not there yet; none of an account that has left. */
export const uploadsOf = (requestId: number): PhotoUpload[] =>
  uploads.filter((one) => one.requestId === requestId && isCurrent(one.owner))

export function addUploads(requestId: number, phase: Phase, files: readonly File[], point?: number): void {
  for (const file of files)
    uploads.push({
      key: uuid(),
      requestId,
      phase,
      point,
      file,
      state: 'waiting',
      error: null,
      owner: currentIdentity(),
    })
  void run()
}

export function removeUpload(one: PhotoUpload): void {
  const at = uploads.findIndex(({ key }) => key === one.key)
  if (at >= 0) uploads.splice(at, 1)
}

export function retryUploads(which: readonly PhotoUpload[]): void {
  for (const one of which) if (one.state === 'failed') one.state = 'waiting'
  void run()
}

async function run(): Promise<void> {
  if (isRunning) return
  isRunning = true
  try {
    for (let one = next(); one; one = next()) await send(one)
  } finally {
    isRunning = false
  }
}

function next(): PhotoUpload | undefined {
  for (const one of uploads.filter(({ owner }) => !isCurrent(owner))) removeUpload(one)
  return uploads.find(({ state }) => state === 'waiting')
}

async function send(one: PhotoUpload): Promise<void> {
  one.state = 'sending'
  try {
    const photo = await shrink(one.file)
    assertCurrent(one.owner)
    await upload((options) =>
      createRequestPhoto({
        path: { request_id: one.requestId },
        body: { photo, phase: one.phase, ...(one.point && { point: one.point }) },
        headers: { 'Idempotency-Key': one.key },
        ...options,
      }),
    )
    one.state = 'sent'
  } catch (error) {
    one.state = 'failed'
    one.error = error
  }
}

// Those that failed without a connection are sent again once it is back.
watch(
  () => appStatus.online,
  (online) => {
    if (online) retryUploads(uploads.filter(({ error }) => toProblem(error).status === 0))
  },
)
