import { createId, describeError, Fault, type Logger } from '../../kernel/index.ts'

export type FieldError = { readonly pointer: string; readonly detail: string }

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is not valid',
  401: 'The operator is needed',
  403: 'Not from there',
  404: 'There is nothing at this address',
  405: 'This address does not take this method',
  408: 'The request took too long',
  409: 'The upload is somewhere else',
  410: 'No longer possible',
  412: 'Another version of the protocol is needed',
  413: 'Too large',
  415: 'Another content type is needed',
  421: 'Another host is meant',
  423: 'Locked',
  429: 'Too many at once',
  460: 'The checksum does not match',
  500: 'Something unexpected went wrong',
  503: 'The platform cannot do this right now',
  507: 'The disk is full',
}

/** RFC 9457 problem details of the staff API. Compare `code`; `detail` says what was expected, what came, what to do next. */
export function toProblem(problem: {
  status: number
  code: string
  detail: string
  errors?: readonly FieldError[]
  headers?: Readonly<Record<string, string>>
}): Response {
  const { status, code, detail, errors, headers } = problem
  const body = {
    type: `urn:tentpole:problem:${code}`,
    title: TITLES[status] ?? 'Refused',
    status,
    code,
    detail,
    errors,
  }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...headers },
  })
}

/** Whatever a handler threw. A fault of an engine passes by itself, so it is a 503; the rest is a bug, named by an id in the log. */
export function fromThrown(error: unknown, logger: Logger): Response {
  if (error instanceof Fault && error.code === 'not-announced')
    return toProblem({ status: 503, code: error.code, detail: error.message, headers: { 'retry-after': '2' } })
  if (error instanceof Fault && error.code !== 'internal') {
    logger.warn('a request could not be served for now', { code: error.code, error: describeError(error) })
    const detail = 'The platform cannot do this right now; it may or may not have been done. Look, then retry.'
    return toProblem({ status: 503, code: 'unavailable', detail, headers: { 'retry-after': '1' } })
  }
  const id = createId()
  const stack = error instanceof Error ? error.stack : undefined
  logger.error('a request failed unexpectedly', { id, error: describeError(error), stack })
  return toProblem({
    status: 500,
    code: 'internal',
    detail: `This is a fault of Tentpole; the log has it under ${id}.`,
  })
}
