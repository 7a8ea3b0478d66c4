/** A failure in words: by its code, else by its status, never by the server's English alone. */
import { toProblem, type Problem } from '@/shared/api/problem'
import { appStatus } from '@/shared/lib/appStatus'
import { i18n } from '@/shared/lib/i18n'

export interface Told extends Problem {
  title: string
  /** The title says what it was; anything else that the server wrote says it again, in English. */
  named: boolean
}

export function useProblem() {
  const { t, te } = i18n.global

  function keyOf({ code, status }: Problem) {
    const keys = [`errors.${code}`, `errors.status_${status}`]
    const key = keys.find((candidate) => te(candidate)) ?? 'errors.unknown'
    return { key, named: key === keys[0] }
  }

  const describe = (problem: Problem): string =>
    t(keyOf(problem).key, { minutes: Math.max(1, Math.ceil((problem.retryAfter ?? 60) / 60)) })

  function tell(error: unknown): Told {
    const problem = toProblem(error)
    const code = problem.status === 0 && !appStatus.online ? 'offline' : problem.code
    const said = { ...problem, code }
    return { ...problem, named: keyOf(said).named, title: describe(said) }
  }

  return { tell, describe }
}
