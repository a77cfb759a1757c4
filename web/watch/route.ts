export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'title'; readonly titleId: string }
  | { readonly page: 'watch'; readonly titleId: string }
  | { readonly page: 'missing' }

const TITLE_ID = /^[0-9a-hjkmnp-tv-z]{16}$/

/** Which page an address names. An id that cannot be one is `missing`, so that no server is asked for it. */
export function matchRoute(location: string): Route {
  const path = location.split(/[?#]/, 1)[0] ?? ''
  const [first = '', titleId = '', ...rest] = path.split('/').filter((part) => part !== '')
  if (first === '') return { page: 'home' }
  if ((first === 'title' || first === 'watch') && TITLE_ID.test(titleId) && rest.length === 0) {
    return { page: first, titleId }
  }
  return { page: 'missing' }
}

export function titlePath(titleId: string): string {
  return `/title/${titleId}`
}

export function watchPath(titleId: string, options: { fromStart?: boolean } = {}): string {
  return `/watch/${titleId}${options.fromStart === true ? '?from=start' : ''}`
}

/** Whether the address asks to begin at the beginning, whatever was watched before. */
export function wantsStart(location: string): boolean {
  const query = location.indexOf('?')
  return query >= 0 && new URLSearchParams(location.slice(query)).get('from') === 'start'
}
