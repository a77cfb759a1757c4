import { toHttpDate } from '../../http/dates.ts'
import type { FieldLine, RequestHead, ResponseHead } from '../../http/message.ts'
import type { MessageTimes } from './age.ts'
import { DEFAULT_POLICY, type PolicyOptions } from './options.ts'
import { createFieldReader, type StoredResponse, toStored } from './stored.ts'

/** The moment all tests of the policy begin at; a whole second, since dates have no more. */
export const NOW_MS: number = Date.UTC(2026, 10, 21, 12, 0, 0)
export const TIMES: MessageTimes = { requestMs: NOW_MS, responseMs: NOW_MS }
/** Without jitter, so that lifetimes are what the fields say. */
export const OPTIONS: PolicyOptions & { readonly key: string } = { ...DEFAULT_POLICY, jitterShare: 0, key: 'k' }

/** An HTTP-date some seconds before (negative) or after the beginning. */
export function dateAt(seconds: number): string {
  return toHttpDate(NOW_MS + seconds * 1_000)
}

/** Lines of one field may be given as an array. */
export type Fields = Readonly<Record<string, string | readonly string[]>>

export function request(fields: Fields = {}, method = 'GET', uri = 'http://a.test/x'): RequestHead {
  return { method, uri, fields: createFieldReader(toLines(fields)) }
}

/** With a Date of the beginning, unless `date` says otherwise. */
export function response(fields: Fields = {}, status = 200): ResponseHead {
  const lines = toLines({ date: dateAt(0), ...fields })
  return { status, lines, fields: createFieldReader(lines) }
}

export function stored(fields: Fields = {}, status = 200, method = 'GET'): StoredResponse {
  return toStored({
    request: { method },
    response: response(fields, status),
    times: TIMES,
    without: [],
    options: OPTIONS,
  })
}

function toLines(fields: Fields): FieldLine[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((line): FieldLine => [name, line]),
  )
}
