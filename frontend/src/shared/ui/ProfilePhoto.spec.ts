import { expect, it } from 'vitest'
import { show, until } from '@/shared/testing/mount'
import ProfilePhoto from './ProfilePhoto.vue'

const picture = () => document.querySelector('img')

it('shows the small photo beside a name, and the large one alone', async () => {
  const { wrapper } = await show(ProfilePhoto, { props: { name: 'Ravi', url: '/profiles/9/photo/ab' } })
  expect(picture()?.getAttribute('src')).toBe('/profiles/9/photo/ab?size=small')
  expect(picture()?.alt).toBe('')
  wrapper.unmount()
  await show(ProfilePhoto, {
    props: { name: 'Ravi', url: '/profiles/9/photo/ab', large: true, label: 'Photo' },
  })
  expect(picture()?.getAttribute('src')).toBe('/profiles/9/photo/ab')
  expect(picture()?.alt).toBe('Photo')
})

it('shows the first letter, in any script, without a photo or when it cannot be loaded', async () => {
  const { wrapper } = await show(ProfilePhoto, { props: { name: '𑀭avi', url: null } })
  expect(document.body.textContent).toContain('𑀭')
  wrapper.unmount()
  await show(ProfilePhoto, { props: { name: 'Ravi', url: '/profiles/9/photo/ab' } })
  picture()?.dispatchEvent(new Event('error'))
  await until(() => document.body.textContent.includes('R'), 'the letter')
  expect(picture()).toBeNull()
})
