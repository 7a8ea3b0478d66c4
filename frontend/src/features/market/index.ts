/** The marketplace's settings: what other features may use. */
export { useSettings } from './useSettings'
