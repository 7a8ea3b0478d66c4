/** One upload of a file: its progress, and its end when the connection is gone. */
import { ref, watch } from 'vue'
import type { AxiosProgressEvent } from 'axios'
import { appStatus } from '@/shared/lib/appStatus'

/** 5 MB take minutes on a slow line. */
const uploadTimeout = 300_000
/** A call whose connection is gone would otherwise wait for its answer until `uploadTimeout`. */
export const offlineSeconds = 10

interface UploadOptions {
  signal: AbortSignal
  timeout: number
  onUploadProgress: (event: AxiosProgressEvent) => void
}

export function useUpload() {
  /** In percent; null while it is unknown. */
  const progress = ref<number | null>(null)

  /** Send with these options. Without a connection for `offlineSeconds` the call is aborted and fails as any lost one. */
  async function upload<T>(send: (options: UploadOptions) => Promise<T>): Promise<T> {
    const call = new AbortController()
    let timer: number | undefined
    const stop = watch(
      () => appStatus.online,
      (online) => {
        window.clearTimeout(timer)
        if (!online) timer = window.setTimeout(() => call.abort(), offlineSeconds * 1000)
      },
      { immediate: true, flush: 'sync' },
    )
    try {
      return await send({
        signal: call.signal,
        timeout: uploadTimeout,
        onUploadProgress: ({ loaded, total }) => {
          progress.value = total ? Math.round((loaded / total) * 100) : null
        },
      })
    } finally {
      stop()
      window.clearTimeout(timer)
      progress.value = null
    }
  }
  return { upload, progress }
}
