import { describe, expect, it } from 'vitest'
import { i18n } from '@/shared/lib/i18n'
import { featureRoutes } from './router'

describe('routes', () => {
  it.each(featureRoutes.map((route) => [route.path, route.meta] as const))(
    '%s has a title and a menu label that exist',
    (_path, meta) => {
      expect(i18n.global.te(meta?.title ?? '')).toBe(true)
      expect(i18n.global.te(meta?.nav?.label ?? meta?.title ?? '')).toBe(true)
    },
  )

  it('has no path twice', () => {
    const paths = featureRoutes.map((route) => route.path)
    expect(new Set(paths).size).toBe(paths.length)
  })

  it('lets nobody into an admin page but admins', () => {
    const open = featureRoutes.filter(
      (route) => route.path.startsWith('/admin') && String(route.meta?.roles) !== 'admin',
    )
    expect(open).toEqual([])
  })
})
