import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { contains, formatNetwork, type Network, parseAddress, parseNetwork } from './network.ts'

/**
 * The signature in a path: `/v/<token>/<path>`. Relative playlist addresses inherit it, cache keys leave it out, the
 * heartbeat renews it. Form: `<payload>.<mac>`, both base64url without padding; the payload's text is
 * `<key id>~<expiry>~<path prefix>~<session>~<cell>`, with `~<network>` where the token is bound to one; the mac is
 * HMAC-SHA-256 over the payload as it stands in the token (docs/edge-signatures.md).
 */
export type PathToken = {
  readonly keyId: string
  /** Seconds since 1970, as in a JWT. */
  readonly expiresAtS: number
  /** What it opens: everything below a prefix that ends with a slash, else the one file of this path. See `isPathPrefix`. */
  readonly prefix: string
  readonly sessionId: string
  readonly cell: string
  /** Where its user must be; null for anywhere. */
  readonly network: Network | null
}

export type PathKeys = {
  /** Signs. */
  readonly current: string
  /** Every key that still verifies, by id; 32 bytes of base64url. */
  readonly keys: Readonly<Record<string, string>>
}

export type PathTokenCheck =
  | { readonly ok: true; readonly token: PathToken }
  | { readonly ok: false; readonly code: 'malformed' | 'unknown-key' | 'bad-signature' | 'expired' }

const TOKEN_CHARACTERS_MAX = 1_200
const PATH_PREFIX_CHARACTERS_MAX = 512

const FIELD = '[A-Za-z0-9_.:-]{1,64}'
const CLAIMS = new RegExp(`^(${FIELD})~(\\d{1,12})~(/[^~]*)~(${FIELD})~(${FIELD})(?:~([0-9A-Fa-f.:]+/\\d{1,3}))?$`)

/** RFC 3986, 3.3, without the tilde, which parts the fields. */
const SEGMENTS = /^(?:\/(?:[A-Za-z0-9_.!$&'()*+,;=:@-]|%[0-9A-F]{2})+)*\/?$/
const DOTS = /\/\.\.?(?:\/|$)/
/** What a normalised path holds decoded (unreserved characters), or not at all (what could change its structure). */
const NEVER_ENCODED = /%(?:[01][0-9A-F]|2[DEF5]|3[0-9]|4[1-9A-F]|5[0-9AFC]|6[1-9A-F]|7[0-9AEF])/

/** Signs with the current key. Throws when a field cannot be carried, so that no claim is ever taken for another. */
export function signPathToken(keys: PathKeys, claims: Omit<PathToken, 'keyId'>): string {
  const secret = secretOf(keys, keys.current)
  if (secret === null) throw new Error(`path key ${keys.current} is not among the keys`)
  const { expiresAtS, prefix, sessionId, cell, network } = claims
  const bound = network === null ? '' : `~${formatNetwork(network)}`
  const text = `${keys.current}~${expiresAtS}~${prefix}~${sessionId}~${cell}${bound}`
  if (parseClaims(text) === null) throw new Error(`a path token cannot carry ${JSON.stringify(text)}`)
  const payload = Buffer.from(text, 'latin1').toString('base64url')
  return `${payload}.${mac(secret, payload)}`
}

/** Checks form, key, signature (constant-time) and expiry, in this order. What it opens, `coversPath` and `admitsAddress` say. */
export function verifyPathToken(keys: PathKeys, text: string, nowMs: number): PathTokenCheck {
  const dot = text.indexOf('.')
  if (dot < 1 || text.length > TOKEN_CHARACTERS_MAX) return { ok: false, code: 'malformed' }
  const payload = text.slice(0, dot)
  const token = parseClaims(Buffer.from(payload, 'base64url').toString('latin1'))
  if (token === null) return { ok: false, code: 'malformed' }
  const secret = secretOf(keys, token.keyId)
  if (secret === null) return { ok: false, code: 'unknown-key' }
  const expected = Buffer.from(mac(secret, payload))
  const got = Buffer.from(text.slice(dot + 1))
  if (expected.length !== got.length || !timingSafeEqual(expected, got)) return { ok: false, code: 'bad-signature' }
  if (token.expiresAtS * 1000 <= nowMs) return { ok: false, code: 'expired' }
  return { ok: true, token }
}

/** Whether it opens a path, given in the form that routing uses and without `/v/<token>`: `/a/b/` opens `/a/b/c`, not `/a/bc`. */
export function coversPath({ prefix }: Pick<PathToken, 'prefix'>, path: string): boolean {
  return prefix.endsWith('/') ? path.startsWith(prefix) : path === prefix
}

/** Whether its user may be at this address. What is no address is in no network. */
export function admitsAddress({ network }: Pick<PathToken, 'network'>, address: string): boolean {
  if (network === null) return true
  const parsed = parseAddress(address)
  return parsed !== null && contains(network, parsed)
}

/** Whether a token can be signed for it: in the form that every path is brought to before it is compared (RFC 3986, 6.2.2). */
export function isPathPrefix(text: string): boolean {
  return (
    text.startsWith('/') &&
    text.length <= PATH_PREFIX_CHARACTERS_MAX &&
    SEGMENTS.test(text) &&
    !DOTS.test(text) &&
    !NEVER_ENCODED.test(text)
  )
}

/** What a token of one title opens. */
export function toTitlePrefix(titleId: string): string {
  return `/${titleId}/`
}

/** The title whose files a token opens; null for a token that opens more or less than one title. */
export function titleOf({ prefix }: Pick<PathToken, 'prefix'>): string | null {
  return prefix.length > 2 && prefix.indexOf('/', 1) === prefix.length - 1 ? prefix.slice(1, -1) : null
}

function parseClaims(text: string): PathToken | null {
  const match = CLAIMS.exec(text)
  if (match === null) return null
  const [, keyId = '', expiry = '', prefix = '', sessionId = '', cell = '', networkText] = match
  const network = networkText === undefined ? null : parseNetwork(networkText)
  if (!isPathPrefix(prefix) || (networkText !== undefined && network === null)) return null
  return { keyId, expiresAtS: Number(expiry), prefix, sessionId, cell, network }
}

function mac(secret: KeyObject, payload: string): string {
  return createHmac('sha256', secret).update(payload).digest('base64url')
}

/** Reading a key costs as much as signing with it, and press play signs each time; forgotten together with the keys. */
const secrets = new WeakMap<PathKeys, Map<string, KeyObject>>()

function secretOf(keys: PathKeys, keyId: string): KeyObject | null {
  const known = secrets.get(keys)?.get(keyId)
  if (known) return known
  const text = Object.hasOwn(keys.keys, keyId) ? keys.keys[keyId] : undefined
  if (text === undefined) return null
  const secret = createSecretKey(Buffer.from(text, 'base64url'))
  secrets.set(keys, (secrets.get(keys) ?? new Map<string, KeyObject>()).set(keyId, secret))
  return secret
}
