import { defineComponent, h } from 'vue'
import { expect, it } from 'vitest'
import { i18n, setLanguage } from '@/shared/lib/i18n'
import { show } from '@/shared/testing/mount'
import { useTextOr } from './useTextOr'

it("shows the text of a word that has one, and the server's own word otherwise", async () => {
  const Words = defineComponent({
    setup() {
      const { textOr } = useTextOr()
      return () => h('p', [textOr('status.accepted', 'accepted'), ' ', textOr('status.on_hold', 'on_hold')])
    },
  })
  await show(Words)
  expect(document.querySelector('p')?.textContent).toBe('Accepted on_hold')
})

it('needs the texts of the language alone, since those of the others are not loaded', async () => {
  i18n.global.mergeLocaleMessage('hi', { status: { only_here: 'केवल यहाँ' } })
  await setLanguage('hi')
  const Words = defineComponent({
    setup() {
      const { textOr } = useTextOr()
      return () => h('p', textOr('status.only_here', 'only_here'))
    },
  })
  await show(Words)
  expect(document.querySelector('p')?.textContent).toBe('केवल यहाँ')
  await setLanguage('en')
})
