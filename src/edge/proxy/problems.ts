import type { FetchFailure } from '../origin/index.ts'
import { type EdgeProblem, RETRY_SOON } from '../problem.ts'

/** An origin that did not answer, as its client is told. */
export function toFetchProblem({ code, why, problem }: Omit<FetchFailure, 'ok'>): EdgeProblem {
  if (problem) return problem
  if (code === 'overloaded') return { status: 503, code: 'edge-overloaded', detail: why, headers: RETRY_SOON }
  if (code === 'cancelled')
    return { status: 503, code, detail: 'the request was cancelled; retry', headers: RETRY_SOON }
  const status = code === 'origin-timeout' ? 504 : 502
  return { status, code, detail: `the origin did not answer as it should (${code}); retry later`, headers: RETRY_SOON }
}

export const notModifiedUnasked: Omit<FetchFailure, 'ok'> = {
  code: 'origin-invalid',
  why: 'a 304 to a request without conditions',
}

export const notCached: EdgeProblem = {
  status: 504,
  code: 'only-if-cached',
  detail: 'only-if-cached: expected a stored answer, there is none that may be used; ask without it',
}

export const looping: EdgeProblem = {
  status: 508,
  code: 'loop-detected',
  detail: 'this request has come by here before; an origin must not be this edge itself',
}
