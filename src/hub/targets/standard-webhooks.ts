import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { Fault } from '../../kernel/index.ts'

/** Standard Webhooks 1.0 (github.com/standard-webhooks/standard-webhooks), its symmetric scheme `v1`. */
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/
const SECRET_BYTES_MIN = 24
const SECRET_BYTES_MAX = 64
const TIMESTAMP = /^\d{1,12}$/
/** How far a signed time may be from the receiver's own, as in the specification's libraries. */
const TOLERANCE_MS = 300_000

export const WEBHOOK_HEADERS = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
} as const

/** The key in a `whsec_` secret. Fault `webhook-secret-invalid`, which does not repeat the secret. */
export function parseWebhookSecret(secret: string): Uint8Array {
  const key = Buffer.from(SECRET.exec(secret)?.[1] ?? '', 'base64')
  if (key.byteLength >= SECRET_BYTES_MIN && key.byteLength <= SECRET_BYTES_MAX) return key
  throw new Fault(
    'webhook-secret-invalid',
    `expected "whsec_" and ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} bytes in base64, got ${secret.length} characters that are not`,
  )
}

export function createWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

export type SignedWebhook = {
  readonly id: string
  readonly timestampSeconds: number
  readonly body: string | Uint8Array
}

/** The value of `webhook-signature`: one signature per key, so that a receiver may know the old secret or the new one. */
export function signWebhook(webhook: SignedWebhook, keys: readonly Uint8Array[]): string {
  return keys.map((key) => `v1,${digest(webhook, key).toString('base64')}`).join(' ')
}

export type WebhookVerified =
  | { readonly ok: true; readonly id: string; readonly timestampMs: number }
  | {
      readonly ok: false
      readonly code:
        | 'webhook-headers-missing'
        | 'webhook-timestamp-invalid'
        | 'webhook-too-old'
        | 'webhook-too-new'
        | 'webhook-signature-mismatch'
    }

/**
 * For receivers: whether a request was signed with the secret, within five minutes of `nowMs`. `body` is what came, byte
 * for byte, not parsed and written again. Whoever must not act twice keeps the ids it has seen.
 */
export function verifyWebhook(
  headers: Headers | Readonly<Record<string, string | undefined>>,
  body: string | Uint8Array,
  secret: string,
  nowMs: number,
): WebhookVerified {
  const id = headerOf(headers, WEBHOOK_HEADERS.id)
  const timestamp = headerOf(headers, WEBHOOK_HEADERS.timestamp)
  const signatures = headerOf(headers, WEBHOOK_HEADERS.signature)
  if (!id || !timestamp || !signatures) return { ok: false, code: 'webhook-headers-missing' }
  if (!TIMESTAMP.test(timestamp)) return { ok: false, code: 'webhook-timestamp-invalid' }
  const timestampSeconds = Number(timestamp)
  const timestampMs = timestampSeconds * 1_000
  if (timestampMs < nowMs - TOLERANCE_MS) return { ok: false, code: 'webhook-too-old' }
  if (timestampMs > nowMs + TOLERANCE_MS) return { ok: false, code: 'webhook-too-new' }
  const expected = digest({ id, timestampSeconds, body }, parseWebhookSecret(secret))
  const isSigned = signatures.split(' ').some((signature) => isSame(signature, expected))
  return isSigned ? { ok: true, id, timestampMs } : { ok: false, code: 'webhook-signature-mismatch' }
}

function digest({ id, timestampSeconds, body }: SignedWebhook, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestampSeconds}.`).update(body).digest()
}

function isSame(signature: string, expected: Buffer): boolean {
  if (!signature.startsWith('v1,')) return false
  const given = Buffer.from(signature.slice(3), 'base64')
  return given.byteLength === expected.byteLength && timingSafeEqual(given, expected)
}

function headerOf(headers: Headers | Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined
  const found = Object.keys(headers).find((key) => key.toLowerCase() === name)
  return found === undefined ? undefined : headers[found]
}
