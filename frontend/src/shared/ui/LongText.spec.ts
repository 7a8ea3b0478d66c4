import { expect, it } from 'vitest'
import { show } from '@/shared/testing/mount'
import LongText from './LongText.vue'

it('truncates a long text at a word and shows all of it on request', async () => {
  const text = 'Please bring a ladder. '.repeat(40).trim()
  const { wrapper } = await show(LongText, { props: { text } })
  const button = wrapper.find('button')
  const shown = wrapper.find('span').text().replace(/ …$/, '')
  expect([text.startsWith(shown), text[shown.length]]).toEqual([true, ' '])
  expect(button.attributes('aria-expanded')).toBe('false')
  await button.trigger('click')
  expect(wrapper.find('span').text()).toBe(text)
  expect(button.attributes('aria-expanded')).toBe('true')
})

it('shows a short text unchanged', async () => {
  const { wrapper } = await show(LongText, { props: { text: 'A word' } })
  expect(wrapper.text()).toBe('A word')
})
