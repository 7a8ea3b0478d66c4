import { afterEach, describe, expect, it, vi } from 'vitest'
import { local, tab } from './storage'

const refuse = () => {
  throw new DOMException('blocked', 'SecurityError')
}
afterEach(() => vi.restoreAllMocks())

describe('storage', () => {
  it('stores, lists and removes values', () => {
    tab.set('a', '1')
    local.set('b', '2')
    expect([tab.get('a'), local.get('b'), tab.keys(), local.keys()]).toEqual(['1', '2', ['a'], ['b']])
    tab.remove('a')
    expect(tab.get('a')).toBeNull()
  })

  it('stores nothing and does not fail when storage is blocked', () => {
    vi.spyOn(window, 'localStorage', 'get').mockImplementation(refuse)
    local.set('a', '1')
    local.remove('a')
    expect([local.get('a'), local.keys()]).toEqual([null, []])
  })

  it('lets the application start when storage is blocked', async () => {
    vi.spyOn(window, 'localStorage', 'get').mockImplementation(refuse)
    vi.resetModules()
    const { useTheme } = await import('@/shared/composables/useTheme')
    const { setTheme, theme } = useTheme()
    setTheme('dark')
    expect(theme.value).toBe('dark')
    setTheme('system')
    const { startLanguage, setLanguage, i18n } = await import('@/shared/lib/i18n')
    await startLanguage()
    await setLanguage('hi')
    expect(i18n.global.locale.value).toBe('hi')
  })
})
