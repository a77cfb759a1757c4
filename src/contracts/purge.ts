import type { z } from 'zod'

/** By which an edge finds what is to leave: one address, all that begin with one, or all that carry a surrogate key. */
export const PURGE_SCOPES = ['url', 'prefix', 'tag'] as const
export type PurgeScope = (typeof PURGE_SCOPES)[number]
export type PurgeOrder = { readonly scope: PurgeScope; readonly value: string }

export const PURGE_VALUE_CHARS_MAX = 4_096

/** `http://host/path?query`, or `/path?query`, which means every host. */
const ADDRESS = /^(?:https?:\/\/[A-Za-z0-9.:[\]_~%-]+)?(\/[A-Za-z0-9_~.!$&'()*+,;=:@/%-]*)(?:\?[!"$-~]*)?$/i
/** What no request's path may hold either: an edge refuses it before it looks anything up. */
const NEVER_A_PATH = /\/(?:\.{1,2})?\/|\/\.{1,2}$|%(?:2[EF]|5C|25|[01][0-9A-F]|7F)|%(?![0-9A-F]{2})/i
/** One word of `Surrogate-Key`, whose words are separated by spaces. */
const TAG = /^[!-~]+$/

/** `<payload>.<mac>`, cut off perhaps; each begins where a word does, or a long word would be tried from every character. */
const TOKENS = /(?<![\w-])([\w-]{16,})\.([\w-]*)/g
const MAC_CHARACTERS = 43
/** How a token's payload begins: key id, expiry, path prefix. */
const CLAIMS = /^[^~]+~\d+~\//

/** Why nothing could ever be found by this, or why it must not be told to the log; null when there is no fault. */
export function findPurgeFault({ scope, value }: PurgeOrder): string | null {
  if (holdsToken(value))
    return 'expected an address without the signature in it, which lets people in: "/v/<title>/<file>" on the platform, "/<file>" on an edge alone'
  if (scope === 'tag') return TAG.test(value) ? null : 'expected one surrogate key, without spaces'
  const path = ADDRESS.exec(value)?.[1]
  if (path === undefined)
    return 'expected an address such as "http://host/path?query", or "/path?query" for every host, percent-encoded, without a fragment'
  if (NEVER_A_PATH.test(path))
    return 'expected a path without empty or dot segments and without an encoded "/", "\\", "." or "%", as no request can have one'
  return null
}

/** What is pasted from a player's address bar opens what it names, and an order is read by everybody who reads the log. */
function holdsToken(value: string): boolean {
  const text = value.replace(/%([0-9A-F]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  for (const [, payload = '', mac = ''] of text.matchAll(TOKENS))
    if (mac.length === MAC_CHARACTERS || CLAIMS.test(Buffer.from(payload, 'base64url').toString('latin1'))) return true
  return false
}

/** Makes the fault one of the field `value`. */
export function checkPurge(order: PurgeOrder, context: z.RefinementCtx): void {
  const message = findPurgeFault(order)
  if (message !== null) context.addIssue({ code: 'custom', path: ['value'], message })
}
