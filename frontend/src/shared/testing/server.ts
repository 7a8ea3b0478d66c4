/** The API's stand-in for specs: each spec says what is answered. The browser journeys run against the real one. */
import { http, HttpResponse, type JsonBodyType } from 'msw'
import { setupServer } from 'msw/node'

export const server = setupServer()
// Once for all files that share modules: closed and opened again, it would not answer on connections that were kept alive.
server.listen({ onUnhandledFrame: 'error' })

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

export interface Seen {
  headers: Headers
  body: unknown
  url: URL
}

/** Mocks a call with these responses in order, repeating the last; returns the recorded requests. */
export function answer(
  method: Method,
  path: string,
  ...answers: [number, JsonBodyType?, Record<string, string>?][]
): Seen[] {
  const seen: Seen[] = []
  server.use(
    http[method](`*${path}`, async ({ request }) => {
      const text = await request.clone().text()
      let body: unknown = text
      try {
        body = JSON.parse(text)
      } catch {
        // A form or nothing at all: its text is what the spec sees.
      }
      seen.push({ headers: request.headers, body, url: new URL(request.url) })
      const [status, json, headers] = answers[Math.min(seen.length, answers.length) - 1] ?? [200]
      return status === 204
        ? new HttpResponse(null, { status })
        : HttpResponse.json(json ?? {}, { status, headers: headers ?? {} })
    }),
  )
  return seen
}
