import { MEMO_LIMITS } from '../../../kernel/index.ts'
import { parseHttpDate, toHttpDate } from '../../http/dates.ts'
import { endToEndLines } from '../../http/hop-by-hop.ts'
import type { FieldLine, FieldReader, RequestHead, ResponseHead } from '../../http/message.ts'
import { createTextMemo } from '../../http/text-memo.ts'
import { initialAgeOf, type MessageTimes } from './age.ts'
import { type Freshness, type FreshnessOptions, toFreshness } from './freshness.ts'

/** A response as the cache keeps it: what every later decision needs, worked out once. */
export type StoredResponse = ResponseHead & {
  /** Of the request it answered: a HEAD never serves a GET (RFC 9111, 4). */
  readonly method: 'GET' | 'HEAD'
  readonly times: MessageTimes
  readonly freshness: Freshness
  /** corrected_initial_age (RFC 9111, 4.2.3). */
  readonly initialAgeMs: number
}

/**
 * Reads lines as `Headers` does; later lines of one name are joined to the first. Looked for one by one: for as few as answers
 * have that costs less than a table made for each, and kept with each that is stored.
 */
export function createFieldReader(lines: readonly FieldLine[]): FieldReader {
  return {
    get(name) {
      let found: string | null = null
      for (const line of lines) if (line[0] === name) found = found === null ? line[1] : `${found}, ${line[1]}`
      return found
    },
  }
}

/**
 * What to keep of a response that `decideStore` let in; `without` is its answer. Fields of the connection are not stored
 * (RFC 9111, 3.1); nor is Age, which the cache generates anew each time (5.1). A missing or unreadable Date becomes the
 * time of receipt (RFC 9110, 6.6.1).
 */
export function toStored(received: {
  readonly request: Pick<RequestHead, 'method'>
  readonly response: ResponseHead
  readonly times: MessageTimes
  readonly without: readonly string[]
  readonly options: FreshnessOptions
}): StoredResponse {
  const { request, response, times, without, options } = received
  const dateMs = dateOf(response.fields)
  const kept = endToEndLines(response.lines, response.fields.get('connection')).filter(
    ([name]) => name !== 'age' && !without.includes(name) && (name !== 'date' || dateMs !== null),
  )
  const lines: readonly FieldLine[] = dateMs === null ? [...kept, ['date', toHttpDate(times.responseMs)]] : kept
  return {
    method: request.method === 'HEAD' ? 'HEAD' : 'GET',
    status: response.status,
    lines,
    fields: createFieldReader(lines),
    times,
    freshness: toFreshness(response, times, options),
    initialAgeMs: initialAgeOf(response.fields, dateMs, times),
  }
}

/** No longer to be used before it is validated: after a mismatch of HEAD (RFC 9111, 4.3.5) or an invalidation (4.4). */
export function toInvalidated(stored: StoredResponse): StoredResponse {
  const freshness = { ...stored.freshness, lifetimeMs: 0, noCache: true, staleWhileRevalidateMs: 0, staleIfErrorMs: 0 }
  return { ...stored, freshness }
}

export function dateOf(fields: FieldReader): number | null {
  const date = fields.get('date')
  if (date === null) return null
  return date.length === FIXDATE_CHARS ? parseFixdate(date) : parseHttpDate(date)
}

/** Of this length is the usual form alone, which means the same at any time; an origin says the same one for a second. */
const FIXDATE_CHARS = 29
const parseFixdate = createTextMemo(parseHttpDate, {
  entriesMax: MEMO_LIMITS.cacheControlEntriesMax,
  charsMax: FIXDATE_CHARS,
})
