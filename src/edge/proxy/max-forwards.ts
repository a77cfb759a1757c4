import type { FieldLine, RequestHead } from '../http/message.ts'
import { type EdgeProblem, toProblemAnswer } from '../problem.ts'
import type { Answer } from '../server/message.ts'

/** The methods that count how often they are sent on (RFC 9110, 7.6.2); of all others the field means nothing. */
const COUNTED: ReadonlySet<string> = new Set(['OPTIONS', 'TRACE'])

/** How often a request may still be sent on; null where it does not count, or what it says is no number. */
export function forwardsLeft({ method, fields }: Pick<RequestHead, 'method' | 'fields'>): number | null {
  const value = COUNTED.has(method) ? fields.get('max-forwards') : null
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null
}

/** The line as it is sent on, one less. */
export function toMaxForwardsLine(line: FieldLine, left: number | null): FieldLine {
  return left !== null && line[0] === 'max-forwards' ? ['max-forwards', String(left - 1)] : line
}

/** As whom it ends with: a request is not echoed, as TRACE has it, since it holds what identifies its client. */
export function respondFinally({ method }: Pick<RequestHead, 'method'>): Answer {
  if (method === 'TRACE') return toProblemAnswer(notEchoed)
  return { status: 204, head: '', body: null, lengthBytes: null }
}

const notEchoed: EdgeProblem = {
  status: 405,
  code: 'method-not-allowed',
  detail: 'TRACE with Max-Forwards: 0: expected a request for the origin, the edge echoes none; allow it another hop',
  headers: { allow: 'GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE' },
}
