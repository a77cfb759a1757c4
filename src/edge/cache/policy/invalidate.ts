import type { RequestHead, ResponseHead } from '../../http/message.ts'
import { parseRequestTarget } from '../../target.ts'

/** RFC 9110, 9.2.1. Methods that nobody knows count as unsafe (RFC 9111, 4.4). */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * The URIs whose stored responses an answer invalidates (RFC 9111, 4.4): after a 2xx or 3xx to an unsafe method the target,
 * and what Location and Content-Location name, of the same origin only: nobody empties another's cache. In the one form
 * that requests are kept under (`target.ts`), without fragment and credentials; the target as it was given.
 */
export function toInvalidatedUris(request: RequestHead, response: ResponseHead): readonly string[] {
  if (SAFE.has(request.method) || response.status < 200 || response.status >= 400) return []
  const uris = new Set([request.uri])
  for (const name of ['location', 'content-location']) {
    const uri = toSameOriginUri(response.fields.get(name), request.uri)
    if (uri !== null) uris.add(uri)
  }
  return [...uris]
}

function toSameOriginUri(reference: string | null, target: string): string | null {
  if (reference === null || !URL.canParse(reference, target)) return null
  const uri = new URL(reference, target)
  if (uri.origin !== new URL(target).origin || uri.origin === 'null') return null
  // What no request can name, nothing is kept under.
  const named = parseRequestTarget(uri.pathname + uri.search)
  return named && uri.origin + named.path + named.query
}
