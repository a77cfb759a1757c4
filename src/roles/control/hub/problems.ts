import { Fault, type Logger } from '../../../kernel/index.ts'
import { type FieldError, fromThrown, toProblem } from '../problem.ts'

/** Faults that the caller can do something about, by the status that says what. */
const STATUS: Readonly<Record<string, number>> = {
  'event-invalid': 400,
  'event-unknown': 400,
  'pattern-invalid': 400,
  'subscription-invalid': 400,
  'cursor-invalid': 400,
  'record-invalid': 400,
  'key-invalid': 400,
  'claim-invalid': 400,
  'body-cut': 400,
  'payload-interrupted': 400,
  'subscription-unknown': 404,
  'claim-missing': 404,
  'claim-expired': 408,
  'dead-letter-unknown': 404,
  'body-silent': 408,
  'dead-letter-closed': 409,
  'subscription-taken': 409,
  'subscriptions-full': 409,
  'payload-too-large': 413,
  'record-too-large': 413,
  'position-unknown': 400,
  'view-behind': 503,
  'hub-busy': 429,
  'log-full': 507,
  'objects-full': 507,
  'tables-full': 507,
}

/** The answer to whatever a route threw. */
export function toHubProblem(error: unknown, logger: Logger): Response {
  const status = error instanceof Fault ? STATUS[error.code] : undefined
  if (!(error instanceof Fault) || status === undefined) return fromThrown(error, logger)
  const errors = toFieldErrors(error.detail['errors'])
  const retry =
    status === 429 || status === 503 || status === 507
      ? { headers: { 'retry-after': toSeconds(error.detail['retryAfterMs']) } }
      : {}
  return toProblem({
    status,
    code: error.code,
    detail: error.message,
    ...(errors.length > 0 ? { errors } : {}),
    ...retry,
  })
}

export function notFound(what: string, name: string): Response {
  return toProblem({
    status: 404,
    code: `${what}-unknown`,
    detail: `There is no ${what} ${JSON.stringify(name)} of yours.`,
  })
}

export function badRequest(code: string, detail: string, pointer?: string): Response {
  return toProblem({ status: 400, code, detail, ...(pointer === undefined ? {} : { errors: [{ pointer, detail }] }) })
}

/** Whole seconds, as the header has them. */
function toSeconds(retryAfterMs: unknown): string {
  return String(Math.max(1, Math.ceil((typeof retryAfterMs === 'number' ? retryAfterMs : 1_000) / 1_000)))
}

/** Of `[{ index?, path, detail }]`: the place as a JSON Pointer into the request, `/2/data/price` for the third event of a batch. */
function toFieldErrors(errors: unknown): FieldError[] {
  if (!Array.isArray(errors)) return []
  return errors.flatMap((error: unknown) => {
    const { index, path, detail } = (typeof error === 'object' ? (error ?? {}) : {}) as Record<string, unknown> // looked at by name only
    if (typeof path !== 'string' || typeof detail !== 'string') return []
    const place = path.startsWith('/') || path === '' ? path : `/${path.replaceAll('.', '/')}`
    return [{ pointer: typeof index === 'number' ? `/${index}${place}` : place, detail }]
  })
}
