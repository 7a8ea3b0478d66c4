/** Which way text runs: that of the page, which the language sets. */
export type Direction = 'ltr' | 'rtl'

export const direction = (): Direction =>
  typeof document !== 'undefined' && document.documentElement.dir === 'rtl' ? 'rtl' : 'ltr'

/** For parts of Nuxt UI that know left and right only. */
export const sideAt = (end: 'start' | 'end'): 'left' | 'right' =>
  (end === 'start') === (direction() === 'ltr') ? 'left' : 'right'

const scripts = /^(ar|dv|fa|he|ks|ku|ps|sd|ug|ur|yi)$/

/** Of a language by its code. */
export const directionOf = (code: string): Direction => (scripts.test(code) ? 'rtl' : 'ltr')
