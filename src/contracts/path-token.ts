import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'

/**
 * The signature in a media path: `/v/<token>/<titleId>/<file>`. Relative playlist addresses inherit it, cache keys leave
 * it out, the heartbeat renews it. Form: `<payload>.<mac>`, both base64url; the payload is
 * `<key id>~<expiry, s since 1970>~<title id>~<session id>~<cell>`, the mac HMAC-SHA-256 over the payload's text.
 */
export type PathToken = {
  readonly keyId: string
  /** Seconds since 1970, as in a JWT. */
  readonly expiresAtS: number
  readonly titleId: string
  readonly sessionId: string
  readonly cell: string
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

/** Five fields, each of 1 to 64 characters. */
const CLAIMS = /^[A-Za-z0-9_.:-]{1,64}(?:~[A-Za-z0-9_.:-]{1,64}){4}$/

/** Signs with the current key. Throws when a field holds a character outside `[A-Za-z0-9_.:-]`. */
export function signPathToken(keys: PathKeys, claims: Omit<PathToken, 'keyId'>): string {
  const secret = secretOf(keys, keys.current)
  if (secret === null) throw new Error(`path key ${keys.current} is not among the keys`)
  const { expiresAtS, titleId, sessionId, cell } = claims
  const text = `${keys.current}~${expiresAtS}~${titleId}~${sessionId}~${cell}`
  if (!CLAIMS.test(text)) throw new Error(`a path token cannot carry ${JSON.stringify(text)}`)
  const payload = Buffer.from(text, 'latin1').toString('base64url')
  return `${payload}.${mac(secret, payload)}`
}

/** Checks form, key, signature (constant-time) and expiry, in this order. */
export function verifyPathToken(keys: PathKeys, text: string, nowMs: number): PathTokenCheck {
  const dot = text.indexOf('.')
  if (dot < 1 || text.length > 512) return { ok: false, code: 'malformed' }
  const payload = text.slice(0, dot)
  const [keyId = '', expiry = '', titleId = '', sessionId = '', cell = '', ...rest] = Buffer.from(payload, 'base64url')
    .toString('latin1')
    .split('~')
  if (rest.length > 0 || cell === '' || !/^\d{1,12}$/.test(expiry)) return { ok: false, code: 'malformed' }
  const secret = secretOf(keys, keyId)
  if (secret === null) return { ok: false, code: 'unknown-key' }
  const expected = Buffer.from(mac(secret, payload))
  const got = Buffer.from(text.slice(dot + 1))
  if (expected.length !== got.length || !timingSafeEqual(expected, got)) return { ok: false, code: 'bad-signature' }
  const expiresAtS = Number(expiry)
  if (expiresAtS * 1000 <= nowMs) return { ok: false, code: 'expired' }
  return { ok: true, token: { keyId, expiresAtS, titleId, sessionId, cell } }
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
