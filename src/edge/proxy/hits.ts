import { type StoredResponse, toAgeSeconds } from '../cache/policy/index.ts'
import { appendCacheStatus, type ByteRange, type CacheReport, toCacheStatus, toContentRange } from '../http/index.ts'
import type { Entry } from '../memory/index.ts'
import type { Answer, AnswerReport } from '../server/message.ts'
import { type Ask, toReport } from './ask.ts'
import { type PreparedSlot, preparedOf } from './prepared.ts'
import type { Cached, CacheMeta } from './response-cache.ts'

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
  const prepared = preparedOf(slotOf(cached.entry, stored))
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

/** A slot of its own for what is stored no more, or never was. */
function slotOf(entry: Entry<CacheMeta> | null, stored: StoredResponse): PreparedSlot {
  const meta = entry?.meta
  return meta?.kind === 'response' && meta.stored === stored ? meta : { stored, prepared: null }
}

/**
 * The usual answer to a miss: all of what was just brought, unasked by conditions and ranges. Who asks for it next finds its lines put
 * together.
 */
export function respondBrought(brought: {
  readonly entry: Entry<CacheMeta> | null
  readonly stored: StoredResponse
  readonly body: Uint8Array
  readonly ageMs: number
  readonly cacheStatus: CacheReport
  readonly report: AnswerReport
}): Answer {
  const { entry, stored, body, ageMs, cacheStatus, report } = brought
  const { fixed, upstream } = preparedOf(slotOf(entry, stored))
  const status = appendCacheStatus(upstream, toCacheStatus(cacheStatus))
  const head = `${fixed}age: ${toAgeSeconds(ageMs)}\r\ncache-status: ${status}\r\n`
  return { status: stored.status, head, body, lengthBytes: null, report, dated: true }
}
