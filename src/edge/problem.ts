import type { FieldLine } from './http/index.ts'
import { type Answer, toHead } from './server/message.ts'

/** RFC 9457 problem details, made here only for what never reaches a cell. */
export type EdgeProblem = {
  readonly status: number
  /** Stable; clients compare this. */
  readonly code: string
  /** What, expected, got, and what to do next. Never carries a token. */
  readonly detail: string
  readonly headers?: Readonly<Record<string, string>>
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  410: 'Gone',
  413: 'Content Too Large',
  414: 'URI Too Long',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  508: 'Loop Detected',
}

/** A problem as an answer. */
export function toProblemAnswer(problem: EdgeProblem): Answer {
  const { lines, body } = toProblemLines(problem)
  const head = toHead(lines)
  const closes = problem.headers?.['connection'] === 'close'
  return { status: problem.status, head, body, lengthBytes: null, ...(closes ? { closes } : {}) }
}

/** The same as fields and content. `connection` says of `headers` what the server is to do, and is no field of an answer. */
export function toProblemLines(problem: EdgeProblem): {
  readonly lines: readonly FieldLine[]
  readonly body: Uint8Array
} {
  const { status, code, detail, headers = {} } = problem
  const body = { type: `urn:tentpole:problem:${code}`, title: TITLES[status] ?? 'Error', status, code, detail }
  const own = Object.entries(headers).filter(([name]) => name !== 'connection')
  return { lines: [...PROBLEM_LINES, ...own], body: Buffer.from(JSON.stringify(body)) }
}

const PROBLEM_LINES: readonly FieldLine[] = [
  ['content-type', 'application/problem+json'],
  ['cache-control', 'no-store'],
  ['x-content-type-options', 'nosniff'],
]

/** Says which check a signed address did not pass, and nothing of the token. */
export function toTokenProblem(code: string): EdgeProblem {
  const detail = 'expected an address signed for this path and this client that has not expired; ask for a new one'
  return { status: 403, code: `token-${code}`, detail }
}

export const RETRY_SOON: Readonly<Record<string, string>> = { 'retry-after': '1' }
