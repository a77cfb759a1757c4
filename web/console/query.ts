/** What an address says behind its `?`. */
export function queryOf(location: string): URLSearchParams {
  const at = location.indexOf('?')
  return new URLSearchParams(at < 0 ? '' : location.slice(at))
}

/** An address; without a `?` where there is nothing to say. */
export function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString()
  return text === '' ? path : `${path}?${text}`
}
