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

/** Why nothing could ever be found by this; null when something could. */
export function findPurgeFault({ scope, value }: PurgeOrder): string | null {
  if (scope === 'tag') return TAG.test(value) ? null : 'expected one surrogate key, without spaces'
  const path = ADDRESS.exec(value)?.[1]
  if (path === undefined)
    return 'expected an address such as "http://host/path?query", or "/path?query" for every host, percent-encoded, without a fragment'
  if (NEVER_A_PATH.test(path))
    return 'expected a path without empty or dot segments and without an encoded "/", "\\", "." or "%", as no request can have one'
  return null
}

/** Makes the fault one of the field `value`. */
export function checkPurge(order: PurgeOrder, context: z.RefinementCtx): void {
  const message = findPurgeFault(order)
  if (message !== null) context.addIssue({ code: 'custom', path: ['value'], message })
}
