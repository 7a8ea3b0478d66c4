import { expect, it } from 'vitest'
import { show, until } from '@/shared/testing/mount'
import { answer } from '@/shared/testing/server'
import SearchBox from './SearchBox.vue'

it('keeps the distance with a pincode, and drops it without one', async () => {
  answer('get', '/places', [200, { items: [] }])
  const { wrapper, router } = await show(SearchBox, {
    props: { filters: { q: 'tap', pincode: '560025', radius_km: '25', sort: 'price' } },
  })
  await wrapper.find('form').trigger('submit')
  await until(() => router.currentRoute.value.path === '/search', 'the search')
  expect(router.currentRoute.value.query).toEqual({
    q: 'tap',
    pincode: '560025',
    radius_km: '25',
    sort: 'price',
  })
  await wrapper.find('[name="location"]').setValue('Bengaluru')
  await wrapper.find('form').trigger('submit')
  await until(() => router.currentRoute.value.query.location === 'Bengaluru', 'the other place')
  expect(router.currentRoute.value.query).not.toHaveProperty('radius_km')
})

it('is a form that the browser can submit before the application starts', async () => {
  const { wrapper } = await show(SearchBox)
  const form = wrapper.find('form')
  expect([form.attributes('action'), form.attributes('method')]).toEqual([
    `${import.meta.env.BASE_URL}search`,
    'get',
  ])
  expect(wrapper.findAll('input').map((field) => field.attributes('name'))).toEqual(['q', 'location'])
})
