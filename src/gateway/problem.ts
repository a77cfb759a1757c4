import { createId, describeError, Fault, type Logger } from '../kernel/index.ts'

export type FieldError = { readonly pointer: string; readonly detail: string }

type ProblemOptions = {
  readonly headers?: Readonly<Record<string, string>>
  readonly errors?: readonly FieldError[]
  readonly instance?: string
}

export type ProblemCode =
  | 'body-not-json'
  | 'body-invalid'
  | 'token-missing'
  | 'token-invalid'
  | 'token-expired'
  | 'token-of-another-session'
  | 'token-of-another-network'
  | 'signature-missing'
  | 'route-not-found'
  | 'session-not-found'
  | 'title-not-found'
  | 'file-not-found'
  | 'method-not-allowed'
  | 'title-withdrawn'
  | 'session-revoked'
  | 'body-too-large'
  | 'body-not-json-typed'
  | 'too-many-requests'
  | 'internal'
  | 'unavailable'
  | 'segment-not-ready'

/** RFC 9457 problem details. Only here do codes get their status and title. */
const PROBLEMS: Readonly<Record<ProblemCode, readonly [status: number, title: string]>> = {
  'body-not-json': [400, 'The body is not JSON'],
  'body-invalid': [400, 'The body has invalid fields'],
  'token-missing': [401, 'A viewer token is needed'],
  'token-invalid': [401, 'The token is not valid'],
  'token-expired': [401, 'The token has expired'],
  'token-of-another-session': [403, 'The token belongs to another session'],
  'token-of-another-network': [403, 'The token is bound to another network'],
  'signature-missing': [403, 'Media needs a signed address'],
  'route-not-found': [404, 'There is nothing at this address'],
  'session-not-found': [404, 'The viewer has no such session'],
  'title-not-found': [404, 'There is no such title'],
  'file-not-found': [404, 'The title has no such file'],
  'method-not-allowed': [405, 'This address does not take this method'],
  'title-withdrawn': [410, 'The title was withdrawn'],
  'session-revoked': [410, 'The session was ended'],
  'body-too-large': [413, 'The body is too large'],
  'body-not-json-typed': [415, 'The body must be sent as application/json'],
  'too-many-requests': [429, 'Too many requests'],
  internal: [500, 'Something unexpected went wrong'],
  unavailable: [503, 'The platform cannot do this right now'],
  'segment-not-ready': [503, 'The segment is still being made'],
}

/** An answer with `application/problem+json`. `detail` says what was expected, what came, and what to do next. */
export function toProblem(code: ProblemCode, detail: string, options: ProblemOptions = {}): Response {
  const [status, title] = PROBLEMS[code]
  const { headers, errors, instance } = options
  const body = { type: `urn:tentpole:problem:${code}`, title, status, code, detail, instance, errors }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
  })
}

/** Faults of the log and of waits: nothing is wrong with the request, it may work in a moment. */
const PASSING: ReadonlySet<string> = new Set([
  'timeout',
  'overloaded',
  'wire-lost',
  'log-unavailable',
  'log-full',
  'draining',
  'closed',
])

/** What nobody handled. Anything but a passing fault is logged under an id that the viewer is told; a stack never leaves. */
export function fromError(error: unknown, logger: Logger): Response {
  if (error instanceof Fault && PASSING.has(error.code)) {
    logger.warn('a request could not be served for now', { code: error.code, error: error.message })
    return toProblem('unavailable', 'The request was not completed in time; repeat it in a moment.', {
      headers: { 'retry-after': '1' },
    })
  }
  const instance = `urn:uuid:${createId()}`
  logger.error('a request failed unexpectedly', {
    instance,
    error: describeError(error),
    stack: error instanceof Error ? error.stack : undefined,
  })
  return toProblem(
    'internal',
    `This is not your fault. Whoever runs the platform finds it in the logs by ${instance}.`,
    {
      instance,
    },
  )
}
