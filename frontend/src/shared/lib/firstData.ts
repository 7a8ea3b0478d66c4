/** The API's answer that the server sends along with an entry page (backend/api/entry_pages.py): the page begins with it instead of asking for it. */

interface FirstData {
  /** The page's address, path and query, for which it is. */
  url: string
  body: unknown
}

let rendered: unknown
/** For the prerendering: what the page is rendered with. */
export function renderWith(body: unknown): void {
  rendered = body
}

function read(): FirstData | null {
  const element = document.getElementById('first-data')
  if (!element) return null
  const { pathname, search } = window.location
  // Once: a page that is opened later asks for its own.
  element.remove()
  const data = JSON.parse(element.textContent) as FirstData
  return data.url === pathname + search ? data : null
}

/** Return the answer, to the page that it was sent with. */
export function takeFirstData<T>(): T | undefined {
  return (import.meta.env.SSR ? rendered : read()?.body) as T | undefined
}
