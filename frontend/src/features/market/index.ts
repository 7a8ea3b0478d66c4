/** The marketplace's settings: what other features may use. */
export { bounds } from './bounds'
export { useSettings } from './useSettings'
