/** What an intermediary must not pass on (RFC 9110, 7.6.1). */
import { listMembers } from './lists.ts'
import type { FieldLine } from './message.ts'

/**
 * For the next hop alone, whether `Connection` names them or not. `Transfer-Encoding` is the sender's framing (RFC 9112, 6.1),
 * `Trailer` announces trailers that are not forwarded (RFC 9110, 6.5.1), `Upgrade` and `TE` are between neighbours, and the
 * three `Proxy-` fields are for a proxy that a client chose (11.7), which the edge is not.
 */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
])

/** Whether a field of this name is always for the next hop alone. */
export function isOfConnection(name: string): boolean {
  return HOP_BY_HOP.has(name)
}

/**
 * What `Connection` may not take away: fields for all recipients, which no sender may list (RFC 9110, 7.6.1). A peer that
 * does so anyway would have the other side see another request or response than the one that is routed, keyed, cached and
 * signed here: without the caller's identity, without what forbids caching, with another length.
 */
const END_TO_END: ReadonlySet<string> = new Set([
  // Framing and routing.
  'host',
  'content-length',
  // Who asks, and through whom: stripped, a private answer would be made for nobody, or an address would be hidden.
  'authorization',
  'cookie',
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'cdn-loop',
  'origin',
  // Caching.
  'age',
  'cache-control',
  'cdn-cache-control',
  'cache-status',
  'date',
  'expires',
  'pragma',
  'set-cookie',
  'vary',
  'surrogate-key',
  'cache-tag',
  // Conditions, ranges and validators.
  'etag',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'range',
  'accept-ranges',
  // What is chosen, and what the bytes are.
  'accept',
  'accept-encoding',
  'accept-language',
  'content-encoding',
  'content-language',
  'content-location',
  'content-range',
  'content-type',
  'location',
  // What a browser protects its user by.
  'content-security-policy',
  'strict-transport-security',
  'x-content-type-options',
  'x-frame-options',
])

/**
 * The lines to pass on or to store, in their order. `connection` is the whole field, its lines joined. The caller adds what
 * is its own: `Via`, its `Connection`, its framing.
 */
export function endToEndLines(lines: Iterable<FieldLine>, connection: string | null): FieldLine[] {
  const listed = parseConnection(connection)
  const kept: FieldLine[] = []
  for (const line of lines) {
    if (!HOP_BY_HOP.has(line[0]) && !listed.has(line[0])) kept.push(line)
  }
  return kept
}

const NOTHING: ReadonlySet<string> = new Set()

/** The field names that `Connection` takes away. Members that are no token cannot be a field's name and match none. */
function parseConnection(connection: string | null): ReadonlySet<string> {
  if (connection === null || connection === 'keep-alive' || connection === 'close') return NOTHING
  const names = listMembers(connection).map((member) => member.toLowerCase())
  return new Set(names.filter((name) => !END_TO_END.has(name)))
}
