// Fails when a page needs more JavaScript before it can be used than its budget, gzipped, or more files of it.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { dist, filesOf, firstPages, scriptsOf, textKeys } from './firstPages.mjs'

/** What stands around every page of a signed-in user, and what all their calls go over. */
const signedIn = [
  'virtual:nuxt-ui-icons',
  'src/app/layouts/AccountButton.vue',
  'src/features/notifications/components/NotificationBell.vue',
  'src/shared/api/generated/client.gen.ts',
  'src/shared/lib/queryClient.ts',
]
const page =
  (route, ...loads) =>
  () => [
    ...textKeys({ route, hasForm: true }, 'en'),
    ...textKeys({ route: 'frame' }, 'en'),
    ...signedIn,
    ...loads,
    'index.html',
  ]
const others = {
  inbox: page(
    '/inbox',
    'src/app/layouts/PhoneBar.vue',
    'src/features/task-requests/components/NewCount.vue',
    'src/features/task-requests/pages/InboxPage.vue',
  ),
  dashboard: page(
    '/admin',
    'src/app/layouts/AdminLayout.vue',
    'src/features/dashboard/pages/DashboardPage.vue',
  ),
}
const budgets = {
  landing: 85_000,
  search: 90_000,
  task: 105_000,
  profile: 80_000,
  'sign-in': 95_000,
  'sign-up': 113_000,
  inbox: 150_000,
  dashboard: 160_000,
}
/** Each of the files is asked for before the page is painted, and evaluated with a pause after it. */
const mostFiles = { landing: 10, search: 16, task: 26, profile: 8, 'sign-in': 19, 'sign-up': 30 }
const kilobytes = (size) => `${(size / 1000).toFixed(1).padStart(7)} kB`
const sizeOf = (file) => gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length

for (const [name, limit] of Object.entries(budgets)) {
  const names = name in firstPages ? scriptsOf(name) : filesOf(others[name]())
  const files = names.map((file) => [file, sizeOf(file)])
  const total = files.reduce((sum, [, size]) => sum + size, 0)
  if (process.argv.includes('--files'))
    for (const [file, size] of files) console.log(`${kilobytes(size)}  ${file}`)
  const most = mostFiles[name] ?? Infinity
  const limits = [`${limit / 1000} kB`, ...(name in mostFiles ? [`${most} files`] : [])].join(', ')
  console.log(`${kilobytes(total)}  ${name}, ${files.length} files (limit ${limits})`)
  if (total > limit || files.length > most) process.exitCode = 1
}
