/** The session's own calls, loaded with the first of them: visitors' pages do without. */
export { check, confirmPasswordMe, getMe, logout } from '@/shared/api/generated'
