import { defineComponent, h } from 'vue'
import { expect, it } from 'vitest'
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
