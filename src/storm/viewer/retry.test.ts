import { expect, test } from 'bun:test'
import type { Failure } from './protocol.ts'
import { judgeFailure, retryDelayMs } from './retry.ts'

const status = (code: number, retryAfterMs: number | null = null, word: string | null = null): Failure => ({
  kind: 'status',
  status: code,
  code: word,
  retryAfterMs,
})

test('what is retried and what is not', () => {
  const cases: readonly (readonly [failure: Failure, verdict: ReturnType<typeof judgeFailure>])[] = [
    [{ kind: 'timeout' }, 'again'],
    [{ kind: 'connection', why: 'reset' }, 'again'],
    [{ kind: 'unreadable', why: 'half a body' }, 'again'],
    ...[408, 425, 429, 500, 502, 503].map((code) => [status(code), 'again'] as const),
    ...[400, 401, 403, 413].map((code) => [status(code), 'refused'] as const),
    ...[404, 410].map((code) => [status(code), 'gone'] as const),
    [status(403, null, 'token-expired'), 'renew'],
    [status(403, null, 'token-bad-signature'), 'refused'],
  ]
  for (const [failure, verdict] of cases) expect([failure, judgeFailure(failure)]).toEqual([failure, verdict])
})

test('waits between attempts', () => {
  const cases: readonly [retryMs: readonly number[], attempts: number, retryAfterMs: number | null, ms: number][] = [
    [[500, 1_000], 0, null, 500],
    [[500, 1_000], 1, null, 1_000],
    [[500, 1_000], 9, null, 1_000],
    [[500], 0, 2_000, 2_000],
    [[500], 0, 100, 500],
    [[500], 0, 3_600_000, 5_000],
    [[8_000], 0, 1_000, 8_000],
    [[0], 0, null, 100],
    [[], 0, null, 5_000],
  ]
  for (const [retryMs, attempts, retryAfterMs, ms] of cases) {
    expect(retryDelayMs(retryMs, attempts, status(503, retryAfterMs))).toBe(ms)
  }
})
