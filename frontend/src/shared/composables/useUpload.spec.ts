import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { appStatus } from '@/shared/lib/appStatus'
import { offlineSeconds, useUpload } from './useUpload'

type Options = Parameters<Parameters<ReturnType<typeof useUpload>['upload']>[0]>[0]

/** A call under way that ends only when it is aborted or `finish` is called. */
function started() {
  const { upload, progress } = useUpload()
  let given: Options | undefined
  let finish = (): void => undefined
  const ended = upload((options) => {
    given = options
    return new Promise<string>((resolve, reject) => {
      finish = () => resolve('sent')
      options.signal.addEventListener('abort', () => reject(new Error('aborted')))
    })
  }).catch((error: unknown) => String(error))
  if (!given) throw new Error('The call was not sent')
  return { options: given, ended, progress, finish: () => finish() }
}
const wait = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000)

describe('useUpload', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
    appStatus.online = true
  })

  it('aborts the call when the connection stays away', async () => {
    const { options, ended } = started()
    appStatus.online = false
    await wait(offlineSeconds - 1)
    expect(options.signal.aborted).toBe(false)
    await wait(1)
    expect(await ended).toBe('Error: aborted')
  })

  it('aborts a call that was sent without a connection', async () => {
    appStatus.online = false
    const { ended } = started()
    await wait(offlineSeconds)
    expect(await ended).toBe('Error: aborted')
  })

  it('lets the call go on when the connection returns in time, and waits as long again later', async () => {
    const { options, ended, finish } = started()
    appStatus.online = false
    await wait(offlineSeconds - 1)
    appStatus.online = true
    await wait(offlineSeconds)
    appStatus.online = false
    await wait(offlineSeconds - 1)
    expect(options.signal.aborted).toBe(false)
    finish()
    expect(await ended).toBe('sent')
    await wait(offlineSeconds)
    expect(options.signal.aborted).toBe(false)
  })

  it('shows how much is sent until the call has ended', async () => {
    const { options, ended, progress, finish } = started()
    options.onUploadProgress({ loaded: 1, total: 3, bytes: 1, lengthComputable: true })
    expect(progress.value).toBe(33)
    options.onUploadProgress({ loaded: 2, bytes: 1, lengthComputable: false })
    expect(progress.value).toBeNull()
    options.onUploadProgress({ loaded: 3, total: 3, bytes: 1, lengthComputable: true })
    finish()
    await ended
    expect(progress.value).toBeNull()
  })
})
