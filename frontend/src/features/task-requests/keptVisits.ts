/** Keeps a professional's schedule and coming visits on the device before they are opened: without a connection it is too late. */
import { getRequestChecklistOptions, getRequestOptions } from '@/shared/api/generated'
import { currentIdentity, isCurrent } from '@/shared/api/identity'
import type { TaskRequest, TaskRequestDetail } from '@/shared/api/types'
import { marketToday, shiftDay, weekOf } from '@/shared/lib/marketTime'
import { askAndKeep, keptAnswer } from '@/shared/offline/keptAnswers'
import { agendaOptions } from './useAgenda'

/** Each costs two calls; nobody has more of them in a few days. */
const most = 20

/** The accepted requests from today to the end of the week, or of the next one if that begins tomorrow, the earliest first. */
async function comingVisits(): Promise<TaskRequest[]> {
  const today = marketToday()
  const tomorrow = shiftDay(today, 1)
  const weeks = [weekOf(today), ...(weekOf(today).includes(tomorrow) ? [] : [weekOf(tomorrow)])]
  const found: TaskRequest[] = []
  for (const week of weeks) {
    const { items } = await askAndKeep(agendaOptions(week[0] ?? today, week[6] ?? today))
    const days = items.filter(({ date }) => date >= today && week.includes(date))
    found.push(...days.flatMap(({ requests }) => requests.filter(({ status }) => status === 'accepted')))
  }
  return found.slice(0, most)
}

/** Ask for what is not on the device yet, or has changed since, one after another. Throws what the calls throw. */
export async function keepVisits(): Promise<void> {
  const asked = currentIdentity()
  for (const visit of await comingVisits()) {
    if (!isCurrent(asked)) return
    const path = { request_id: visit.id }
    const request = getRequestOptions({ path })
    const kept = await keptAnswer<TaskRequestDetail>(request.queryKey)
    if (kept?.updated_at === visit.updated_at) continue
    // The request last: that it is kept says that both are.
    await askAndKeep(getRequestChecklistOptions({ path }))
    await askAndKeep(request)
  }
}
