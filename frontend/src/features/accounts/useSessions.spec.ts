import { describe, expect, it } from 'vitest'
import { deviceOf } from './useSessions'

describe('deviceOf', () => {
  it('names browser and system, checking specific ones first', () => {
    expect(
      deviceOf(
        'Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36',
      ),
    ).toEqual({ browser: 'Chrome', system: 'Android' })
    expect(
      deviceOf(
        'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0',
      ),
    ).toEqual({ browser: 'Edge', system: 'Windows' })
    expect(
      deviceOf(
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1',
      ),
    ).toEqual({ browser: 'Safari', system: 'iOS' })
    expect(deviceOf('curl/8.5')).toBeNull()
    expect(deviceOf(null)).toBeNull()
  })
})
