import { type StoredResponse, toAgeSeconds } from '../cache/policy/index.ts'
import { appendCacheStatus, type ByteRange, toCacheStatus, toContentRange } from '../http/index.ts'
import { type Answer, type AnswerReport, toHead } from '../server/message.ts'
import { type Ask, toReport } from './ask.ts'
import { toClientLines } from './messages.ts'
import type { Cached } from './response-cache.ts'

/**
 * The answer to almost everyone: what is stored and fresh, whole or one range of it, unasked by conditions. Its head is put together
 * once a second for each stored answer, as long as age and freshness are the same; beyond that a hit makes nothing but
 * the answer itself.
 */
export function respondHit<C>(hit: {
  readonly cached: Cached
  readonly body: Uint8Array | readonly Uint8Array[]
  readonly ageMs: number
  readonly ask: Ask<C>
  /** The part of it that `body` is; null: all. */
  readonly range: ByteRange | null
}): Answer {
  const { cached, body, ageMs, ask, range } = hit
  const { stored } = cached
  const prepared = prepare(stored)
  const ageS = toAgeSeconds(ageMs)
  if (prepared.ageS !== ageS) {
    prepared.ageS = ageS
    const ttlS = Math.round((stored.freshness.lifetimeMs - ageMs) / 1_000)
    const status = appendCacheStatus(prepared.upstream, toCacheStatus({ hit: true, ttlS }))
    prepared.head = `${prepared.fixed}age: ${ageS}\r\ncache-status: ${status}\r\n`
  }
  // Answers of one cell follow one another: a new report only when the cell is another.
  if (prepared.report === null || prepared.report.cell !== ask.cell)
    prepared.report = toReport(ask, 'hit', { tags: cached.entry.tags })
  const { head, report } = prepared
  if (range === null) return { status: stored.status, head, body, lengthBytes: null, report, dated: true }
  const part = `content-range: ${toContentRange(range, cached.sizeBytes)}\r\n`
  return { status: 206, head: head + part, body, lengthBytes: null, report, dated: true }
}

type Prepared = {
  readonly fixed: string
  readonly upstream: string | null
  ageS: number
  head: string
  report: AnswerReport | null
}

const preparedOf = new WeakMap<StoredResponse, Prepared>()

function prepare(stored: StoredResponse): Prepared {
  const known = preparedOf.get(stored)
  if (known) return known
  const fixed = toHead(toClientLines(stored))
  const made: Prepared = { fixed, upstream: stored.fields.get('cache-status'), ageS: -1, head: '', report: null }
  preparedOf.set(stored, made)
  return made
}
