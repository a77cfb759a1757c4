import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createWebhookSecret, parseWebhookSecret, signWebhook, verifyWebhook } from './standard-webhooks.ts'

/** The vector that the specification's libraries test themselves with. */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
const TIMESTAMP_SECONDS = 1_614_265_330
const BODY = '{"test": 2432232314}'
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
const NOW_MS = TIMESTAMP_SECONDS * 1_000

const signed = (changed: Readonly<Record<string, string | undefined>> = {}): Record<string, string | undefined> => ({
  'webhook-id': ID,
  'webhook-timestamp': String(TIMESTAMP_SECONDS),
  'webhook-signature': SIGNATURE,
  ...changed,
})
const verify = (
  headers: Headers | Record<string, string | undefined>,
  body: string | Uint8Array = BODY,
  nowMs = NOW_MS,
) => {
  const verified = verifyWebhook(headers, body, SECRET, nowMs)
  return verified.ok ? verified.id : verified.code
}

test('signs as the published vector says', () => {
  const webhook = { id: ID, timestampSeconds: TIMESTAMP_SECONDS, body: BODY }
  expect(signWebhook(webhook, [parseWebhookSecret(SECRET)])).toBe(SIGNATURE)
})

describe('a receiver', () => {
  const other = 'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='
  const cases: readonly (readonly [string, Record<string, string | undefined>, string])[] = [
    ['takes the published vector', signed(), ID],
    [
      'takes one signature of several',
      signed({ 'webhook-signature': `${other} v1a,xx ${SIGNATURE} v2,${SIGNATURE}` }),
      ID,
    ],
    ['misses the id', signed({ 'webhook-id': undefined }), 'webhook-headers-missing'],
    ['misses the time', signed({ 'webhook-timestamp': '' }), 'webhook-headers-missing'],
    ['misses the signature', signed({ 'webhook-signature': undefined }), 'webhook-headers-missing'],
    ['refuses a time that is none', signed({ 'webhook-timestamp': 'soon' }), 'webhook-timestamp-invalid'],
    ['refuses another signature', signed({ 'webhook-signature': other }), 'webhook-signature-mismatch'],
    [
      'refuses another version',
      signed({ 'webhook-signature': SIGNATURE.replace('v1', 'v2') }),
      'webhook-signature-mismatch',
    ],
    ['refuses half a signature', signed({ 'webhook-signature': SIGNATURE.slice(0, 20) }), 'webhook-signature-mismatch'],
    ['refuses an empty signature', signed({ 'webhook-signature': 'v1,' }), 'webhook-signature-mismatch'],
    ['refuses another id', signed({ 'webhook-id': 'msg_2' }), 'webhook-signature-mismatch'],
    [
      'refuses another time',
      signed({ 'webhook-timestamp': String(TIMESTAMP_SECONDS + 1) }),
      'webhook-signature-mismatch',
    ],
  ]
  test.each(cases)('%s', (_name, headers, expected) => expect(verify(headers)).toBe(expected))

  test('takes Headers, names in any case, and bytes', () => {
    expect(verify(new Headers(signed() as Record<string, string>), new TextEncoder().encode(BODY))).toBe(ID)
    const shouting = Object.fromEntries(Object.entries(signed()).map(([name, value]) => [name.toUpperCase(), value]))
    expect(verify(shouting)).toBe(ID)
  })

  test('tolerates five minutes, both ways', () => {
    expect(verify(signed(), BODY, NOW_MS + 300_000)).toBe(ID)
    expect(verify(signed(), BODY, NOW_MS - 300_000)).toBe(ID)
    expect(verify(signed(), BODY, NOW_MS + 301_000)).toBe('webhook-too-old')
    expect(verify(signed(), BODY, NOW_MS - 301_000)).toBe('webhook-too-new')
  })

  test('refuses any other body', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        fc.pre(!Buffer.from(bytes).equals(Buffer.from(BODY)))
        expect(verify(signed(), bytes)).toBe('webhook-signature-mismatch')
      }),
    )
  })

  test('never throws over what comes', () => {
    const text = fc.oneof(fc.string(), fc.constantFrom(ID, String(TIMESTAMP_SECONDS), SIGNATURE, 'v1,', ' '))
    fc.assert(
      fc.property(text, text, text, (id, timestamp, signature) => {
        verify({ 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature })
      }),
    )
  })
})

test('while secrets change, a receiver may know either', () => {
  const [old, fresh] = [createWebhookSecret(), createWebhookSecret()]
  const webhook = { id: 'e', timestampSeconds: 1_000, body: '{}' }
  const headers = {
    'webhook-id': 'e',
    'webhook-timestamp': '1000',
    'webhook-signature': signWebhook(webhook, [fresh, old].map(parseWebhookSecret)),
  }
  for (const secret of [old, fresh]) expect(verifyWebhook(headers, '{}', secret, 1_000_000).ok).toBe(true)
  expect(verifyWebhook(headers, '{}', createWebhookSecret(), 1_000_000).ok).toBe(false)
})

test.each(['', 'whsec_', 'whsec_short', `whsec_${'A'.repeat(88)}`, 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_???'])(
  'the secret %p is refused, and not repeated',
  (secret) => {
    expect(() => parseWebhookSecret(secret)).toThrow(expect.objectContaining({ code: 'webhook-secret-invalid' }))
    try {
      parseWebhookSecret(secret)
    } catch (error) {
      if (secret.length > 6) expect(String(error)).not.toContain(secret.slice(6))
    }
  },
)
