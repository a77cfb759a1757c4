import { isIPv6 } from 'node:net'
import type { RefusalCode } from './refusals.ts'

/** A name or an IPv4 address: letters, digits, "-", "_" and single dots between them. No trailing dot: it would be a second spelling. */
const NAME = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/
/** DNS takes no more (RFC 1035, 3.1). */
const NAME_LENGTH_MAX = 253
const PORT = /^[1-9][0-9]{0,4}$/
const PORT_MAX = 65_535
/** RFC 9110, 4.2.1. */
const DEFAULT_PORT = '80'

/**
 * The one form of `Host` or of a target's authority (RFC 9110, 7.2; RFC 3986, 3.2.2): lower case, without the default port.
 * Null means refuse: user information, percent-encoding, lists, white space, an empty port, a trailing dot. `tentpole.tv:`,
 * `tentpole.tv.` and `t%65ntpole.tv` are other hosts to some hops and the same to others.
 */
export function parseHost(text: string): string | null {
  const host = text.toLowerCase()
  const colon = host.startsWith('[') ? host.indexOf(':', host.indexOf(']')) : host.indexOf(':')
  const name = colon < 0 ? host : host.slice(0, colon)
  if (!isName(name)) return null
  if (colon < 0) return host
  const port = host.slice(colon + 1)
  if (!PORT.test(port) || Number(port) > PORT_MAX) return null
  return port === DEFAULT_PORT ? name : host
}

function isName(name: string): boolean {
  if (name.startsWith('[')) return name.endsWith(']') && isAddress(name.slice(1, -1))
  return name.length <= NAME_LENGTH_MAX && NAME.test(name)
}

/** A zone (RFC 6874) means something on one machine only. */
function isAddress(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

/** HTTP/1.1 needs one `Host` (RFC 9112, 3.2), HTTP/1.0 does not know it: then it is empty. */
export function decideHost(
  value: string | null,
  minorVersion: 0 | 1,
): { readonly ok: true; readonly host: string } | { readonly ok: false; readonly code: RefusalCode } {
  if (value === null) return minorVersion === 0 ? { ok: true, host: '' } : { ok: false, code: 'host-missing' }
  const host = parseHost(value)
  return host === null ? { ok: false, code: 'host-malformed' } : { ok: true, host }
}
