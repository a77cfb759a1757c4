import { parseRequestTarget } from '../target.ts'
import { parseHost } from './host.ts'
import type { RefusalCode } from './refusals.ts'

export type TargetRead = { readonly host: string; readonly path: string; readonly query: string }

const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)(.*)$/

/**
 * The four forms of a target (RFC 9112, 3.2): a path, an http: URL, `*` for OPTIONS; an authority alone is CONNECT's, which is
 * refused before. `host` is the normalised one of the field, empty when there is none.
 */
export function parseTargetForm(text: string, method: string, host: string): TargetRead | RefusalCode {
  if (text.startsWith('/')) return toRead(host, text)
  if (text === '*') return method === 'OPTIONS' ? { host, path: '*', query: '' } : 'target-malformed'
  const absolute = ABSOLUTE.exec(text)
  return absolute ? parseAbsolute(absolute, method, host) : 'target-malformed'
}

/** RFC 9112, 3.2.2: the authority counts, not `Host`; who sends two different ones is read differently by the next hop. */
function parseAbsolute(
  [, scheme = '', authority = '', rest = '']: RegExpExecArray,
  method: string,
  host: string,
): TargetRead | RefusalCode {
  if (scheme.toLowerCase() !== 'http') return 'scheme-unsupported'
  const named = parseHost(authority)
  if (named === null) return 'target-malformed'
  if (host !== '' && host !== named) return 'host-differs'
  // RFC 9112, 3.2.4: so a client of a proxy asks for the server as a whole.
  if (rest === '' && method === 'OPTIONS') return { host: named, path: '*', query: '' }
  return toRead(named, rest.startsWith('/') ? rest : `/${rest}`)
}

function toRead(host: string, text: string): TargetRead | RefusalCode {
  const target = parseRequestTarget(text)
  return target ? { host, path: target.path, query: target.query } : 'target-malformed'
}
