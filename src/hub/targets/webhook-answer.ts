import type { Outcome } from '../bus/target.ts'

/** What a receiver answered; `text` is the beginning of its body. */
export type WebhookAnswer = { readonly status: number; readonly retryAfter: string | undefined; readonly text: string }

/** Characters of an answer that are repeated to operators. */
const QUOTE_CHARACTERS_MAX = 200

/**
 * Standard Webhooks, "Delivery success and failure": 2xx is done, 410 means no more of anything, all else failed. That
 * holds for 400, 413 and 422 too: a receiver that refuses what it should take is most often one with a mistake in its last
 * release, and the retries are the time it has to be mended; what it never takes ends as a dead letter by the policy.
 */
export function decideWebhookOutcome(answer: WebhookAnswer, nowMs: number, retryAfterMaxMs: number): Outcome {
  const { status } = answer
  if (status >= 200 && status <= 299) return { kind: 'done' }
  if (status === 410) return { kind: 'gone', reason: 'the receiver answered 410: it wants no more webhooks' }
  const reason =
    status >= 300 && status <= 399
      ? `expected 2xx, got ${status}: redirects are not followed; give the subscription the new address`
      : `expected 2xx, got ${status}${quote(answer.text)}`
  const retryAfterMs = parseRetryAfter(answer.retryAfter, nowMs)
  if (retryAfterMs === null) return { kind: 'failed', reason }
  return { kind: 'failed', reason, retryAfterMs: Math.min(retryAfterMs, retryAfterMaxMs) }
}

/** RFC 9110, 10.2.3: seconds or a date. Null for anything else. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1_000
  const atMs = /^[A-Za-z]{3}, .{20,22}GMT$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs)
}

/** One line without what moves a terminal's cursor or turns the direction of the text. */
function quote(text: string): string {
  const line = text.replaceAll(/[\p{C}\p{Z}\s]+/gu, ' ').trim()
  if (line === '') return ''
  return `: ${JSON.stringify(line.length > QUOTE_CHARACTERS_MAX ? `${line.slice(0, QUOTE_CHARACTERS_MAX)}…` : line)}`
}
