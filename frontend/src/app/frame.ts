/** What stands around every page of a signed-in user. Until it is loaded the frame is a visitor's. */
import { shallowRef } from 'vue'
import { loadData } from '@/shared/lib/data'
import { loadTexts } from '@/shared/lib/i18n'
import { once } from '@/shared/lib/once'
import { loadIcons } from './icons'
import { loadUiWhenIdle } from './useUi'

export const isFrameLoaded = shallowRef(false)

export const loadFrame = once(async (): Promise<void> => {
  await Promise.all([loadTexts('frame'), loadIcons(), loadData()])
  isFrameLoaded.value = true
  // What signed-in users do may be answered by a message over any page.
  loadUiWhenIdle()
})
