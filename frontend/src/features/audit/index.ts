/** The audit trail: what other features may use. */
export { default as AuditLine } from './components/AuditLine.vue'
