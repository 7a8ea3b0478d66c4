/** The dashboard: what other features may use. */
export { useStats } from './useStats'
