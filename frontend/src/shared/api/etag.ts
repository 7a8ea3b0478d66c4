/** Versions of what is edited (RFC 9110, 8.8.3): an edit names the version it was made from. */
interface Response<T> {
  data: T
  headers: object
}

/** What was read, with what an edit of it must name. */
export interface Versioned<T> {
  data: T
  etag: string | undefined
}

export function versioned<T>({ data, headers }: Response<T>): Versioned<T> {
  return { data, etag: 'etag' in headers && typeof headers.etag === 'string' ? headers.etag : undefined }
}

export const ifMatch = (etag: string | undefined): { 'If-Match'?: string } =>
  etag === undefined ? {} : { 'If-Match': etag }
