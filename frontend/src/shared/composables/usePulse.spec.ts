import { describe, expect, it, vi } from 'vitest'
import { effectScope, ref } from 'vue'
import { usePulse } from './usePulse'

describe('usePulse', () => {
  it('looks while something runs, stops when it ends, and leaves nothing behind', async () => {
    vi.useFakeTimers()
    const running = ref<string | null>(null)
    const look = vi.fn(() => Promise.resolve())
    const scope = effectScope()
    scope.run(() => usePulse(() => running.value, look))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(look).not.toHaveBeenCalled()

    running.value = '1:10'
    await vi.advanceTimersByTimeAsync(1_000)
    expect(look).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(1_500)
    expect(look).toHaveBeenCalledTimes(2)

    running.value = null
    await vi.advanceTimersByTimeAsync(60_000)
    const until = look.mock.calls.length
    await vi.advanceTimersByTimeAsync(60_000)
    expect(look).toHaveBeenCalledTimes(until)

    running.value = '2:0'
    scope.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(look).toHaveBeenCalledTimes(until)
    vi.useRealTimers()
  })
})
