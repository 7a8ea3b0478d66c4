import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { i18n, setLanguage } from '@/shared/lib/i18n'
import { useSession } from '@/shared/session/store'
import { someone } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import { useLanguage } from './useLanguage'

const showToast = vi.hoisted(() => vi.fn())
vi.mock('./useUi', () => ({ showToast }))

const asha = someone('customer', { id: 7, language: 'en' })

beforeEach(async () => {
  setActivePinia(createPinia())
  await setLanguage('en')
})

it('saves the language of a signed-in user', async () => {
  const session = useSession()
  session.user = asha
  const saved = answer('patch', '/me', [200, { ...asha, language: 'hi' }])
  await useLanguage().choose('hi')
  expect(i18n.global.locale.value).toBe('hi')
  expect(saved.map((one) => one.body)).toEqual([{ language: 'hi' }])
  expect(session.user?.language).toBe('hi')
})

it('reports when the account keeps the language it had', async () => {
  useSession().user = asha
  answer('patch', '/me', [500])
  await useLanguage().choose('hi')
  expect(showToast).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ color: 'error' }))
  expect(i18n.global.locale.value).toBe('hi')
})

it('changes the language of a visitor without a call', async () => {
  const saved = answer('patch', '/me', [500])
  await useLanguage().choose('hi')
  expect(i18n.global.locale.value).toBe('hi')
  expect(saved).toEqual([])
})
