/** An RFC 9457 problem, whatever went wrong: every failure of a call has this shape for the pages. */
import type { AxiosError } from 'axios'

export interface Problem {
  /** 0 when there was no answer at all. */
  status: number
  code: string
  detail: string
  errors: Record<string, string[]>
  retryAfter: number | null
}

/** A failure that is no answer of the server's, but has words of its own. */
export class KnownProblem extends Error {
  constructor(readonly code: string) {
    super(code)
  }
}

/** A call that asks for a file gets a refusal as a file too: read it, so that it has its code and its words. */
export async function readRefusal({ response }: AxiosError): Promise<void> {
  if (!response || !(response.data instanceof Blob) || !response.data.type.includes('json')) return
  try {
    response.data = JSON.parse(await response.data.text())
  } catch {
    // A refusal that cannot be read has its status.
  }
}

interface ProblemBody {
  code?: unknown
  detail?: unknown
  errors?: unknown
}

function seconds(header: unknown): number | null {
  const value = Number(header)
  return typeof header === 'string' && Number.isFinite(value) ? value : null
}

function fieldErrors(errors: unknown): Record<string, string[]> {
  if (typeof errors !== 'object' || errors === null) return {}
  return Object.fromEntries(
    Object.entries(errors).map(([field, messages]) => [
      field,
      (Array.isArray(messages) ? messages : [messages]).map(String),
    ]),
  )
}

/** As axios's own function, which would bring the whole of it along. */
const isAxiosError = (error: unknown): error is AxiosError =>
  typeof error === 'object' && error !== null && 'isAxiosError' in error && error.isAxiosError === true

export function toProblem(error: unknown): Problem {
  if (error instanceof KnownProblem)
    return { status: -1, code: error.code, detail: '', errors: {}, retryAfter: null }
  if (!isAxiosError(error)) return { status: -1, code: 'unknown', detail: '', errors: {}, retryAfter: null }
  const { response } = error
  if (!response) return { status: 0, code: 'no_answer', detail: '', errors: {}, retryAfter: null }
  const body = (
    typeof response.data === 'object' && response.data !== null ? response.data : {}
  ) as ProblemBody
  return {
    status: response.status,
    code: typeof body.code === 'string' ? body.code : `status_${response.status}`,
    detail: typeof body.detail === 'string' ? body.detail : '',
    errors: fieldErrors(body.errors),
    retryAfter: seconds(response.headers['retry-after']),
  }
}
