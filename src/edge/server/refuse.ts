import { type EdgeProblem, toProblemAnswer } from '../problem.ts'
import { type Connection, count, destroy } from './connection.ts'
import { leaveExchange } from './end-exchange.ts'
import { writeAnswer, writeRefusal } from './write-answer.ts'

/** Answers with a problem and ends the connection; where an answer has begun there is nothing left to say, and it is cut. */
export function refuse(connection: Connection, problem: EdgeProblem): void {
  count(connection.server, problem.code)
  const answer = { ...toProblemAnswer(problem), closes: true }
  const { exchange } = connection
  if (!exchange) {
    if (connection.phase === 'discard') destroy(connection)
    else writeRefusal(connection, answer)
    return
  }
  if (exchange.answer) {
    destroy(connection)
    return
  }
  leaveExchange(exchange, new Error(`request: refused with ${problem.code}`))
  writeAnswer(exchange, answer)
}

export const HEAD_TOO_SLOW: EdgeProblem = {
  status: 408,
  code: 'head-too-slow',
  detail: 'head: expected within edgeHeadTimeoutMs of its first byte, got only a part; send it at once',
}
export const CONTENT_TOO_SLOW: EdgeProblem = {
  status: 408,
  code: 'content-too-slow',
  detail:
    'content: expected edgeBodyBytesPerWindowMin bytes in edgeProgressWindowMs, got fewer; send it faster or in parts',
}
export const CONTENT_TOO_LARGE: EdgeProblem = {
  status: 413,
  code: 'content-too-large',
  detail: 'content: expected at most edgeBodyBytesMax bytes, got a larger Content-Length; send it in parts',
}
/** Nothing of what happened: that is in the log. */
export const HANDLER_FAILED: EdgeProblem = {
  status: 500,
  code: 'edge-failed',
  detail: 'expected an answer, got a failure of the edge itself; try again, and tell the operator if it stays',
}

export function tooManyRequests(waitMs: number): EdgeProblem {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  return {
    status: 429,
    code: 'too-many-requests',
    detail: `expected fewer requests from this client, got one too many; wait ${seconds} s`,
    headers: { 'retry-after': String(seconds) },
  }
}
