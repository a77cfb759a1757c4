import { createHash } from 'node:crypto'
import { listMembers } from '../../http/lists.ts'
import type { RequestHead } from '../../http/message.ts'
import { normaliseAcceptEncoding, normaliseAcceptLanguage } from './accept.ts'

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

/** Values longer than this go into the key as a digest, so that a key stays small whatever a client sends. */
const VALUE_CHARS_MAX = 256

/** Their values are secrets: keys are logged and listed, so only a digest of them gets there. */
const SECRET: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization'])

const NORMALISE: Readonly<Record<string, (value: string) => string>> = {
  'accept-encoding': normaliseAcceptEncoding,
  'accept-language': normaliseAcceptLanguage,
}

/** The fields a Vary names, lower-case, sorted, each once; null for `*` and for what cannot be read: neither ever matches (RFC 9111, 4.1). */
export function parseVary(value: string | null): readonly string[] | null {
  if (value === null) return []
  const names = listMembers(value).map((name) => name.toLowerCase())
  if (names.some((name) => name === '*' || !TOKEN.test(name))) return null
  return [...new Set(names)].sort()
}

/**
 * The part of a cache key that tells variants of one URI apart: two requests have the same key when the fields match as
 * RFC 9111, 4.1 has it. An absent field matches only an absent one. Lines of the key are `name` or `name:value`.
 */
export function toVariantKey(varyFields: readonly string[], request: Pick<RequestHead, 'fields'>): string {
  return varyFields.map((name) => toKeyLine(name, request.fields.get(name))).join('\n')
}

/** Whether what was stored for `key`, under these fields, may answer this request. */
export function matchesVariant(
  stored: { readonly varyFields: readonly string[]; readonly key: string },
  request: Pick<RequestHead, 'fields'>,
): boolean {
  return toVariantKey(stored.varyFields, request) === stored.key
}

function toKeyLine(name: string, value: string | null): string {
  if (value === null) return name
  const normalised = Object.hasOwn(NORMALISE, name) ? NORMALISE[name]?.(value) : undefined
  const text = normalised ?? value.trim()
  // `#` marks a digest; a value that begins with one is digested too, so that none can pass for another's digest.
  if (!SECRET.has(name) && text.length <= VALUE_CHARS_MAX && !/^#|[\r\n]/.test(text)) return `${name}:${text}`
  return `${name}:#${createHash('sha256').update(text).digest('base64url')}`
}
