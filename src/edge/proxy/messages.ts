import { createFieldReader } from '../cache/policy/index.ts'
import { endToEndLines } from '../http/hop-by-hop.ts'
import type { FieldLine, FieldReader, RequestHead, ResponseHead } from '../http/message.ts'
import type { Target } from '../target.ts'

/** How this hop names itself (RFC 9110, 7.6.3). */
const VIA = '1.1 tentpole'
/** A message that came by here this often goes round in circles. */
const VISITS_MAX = 4

/** A client's own conditions, which are answered from what comes back, not sent on when a whole answer is fetched. */
const CONDITIONS: ReadonlySet<string> = new Set([
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
])

/**
 * Fields by which a client would have the origin see another address or method than the one it is kept under: whatever an
 * origin makes of them would be everyone's answer.
 */
const UNKEYED: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-scheme',
  'x-forwarded-server',
  'x-host',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-host',
  'x-original-url',
  'x-rewrite-url',
])

/** What the decisions see of a request. The host is part of the URI, lower-case, as it is of every key. */
export function toRequestHead(request: Request, target: Target): RequestHead {
  const host = (request.headers.get('host') ?? '').toLowerCase()
  return { method: request.method, uri: `http://${host}${target.path}${target.query}`, fields: request.headers }
}

/** Field lines for the origin: those of the client that are not of its connection (RFC 9110, 7.6.1), with our own marks. */
export function toForwardLines(
  request: Request,
  options: { readonly clientAddress: () => string; readonly whole: boolean; readonly add?: readonly FieldLine[] },
): FieldLine[] {
  const { headers } = request
  const lines = endToEndLines([...headers], headers.get('connection')).filter(
    ([name]) =>
      name !== 'via' && name !== 'x-forwarded-for' && !UNKEYED.has(name) && !(options.whole && CONDITIONS.has(name)),
  )
  return [
    ...lines,
    ...(options.add ?? []),
    ['via', appendTo(headers.get('via'), VIA)],
    ['x-forwarded-for', appendTo(headers.get('x-forwarded-for'), options.clientAddress())],
  ]
}

/** Whether a request has been here too often already: a proxy in front of itself. */
export function isLooping(fields: FieldReader): boolean {
  const via = fields.get('via')
  return via !== null && via.split(',').filter((member) => member.trim() === VIA).length >= VISITS_MAX
}

/** An origin's answer as decisions see it. */
export function toResponseHead(answer: {
  readonly status: number
  readonly lines: readonly FieldLine[]
}): ResponseHead {
  return { status: answer.status, lines: answer.lines, fields: createFieldReader(answer.lines) }
}

/** What of an answer goes on to the client, not counting its framing, which is the server's. */
export function toClientLines(response: Pick<ResponseHead, 'lines' | 'fields'>): FieldLine[] {
  const lines = endToEndLines(response.lines, response.fields.get('connection')).filter(
    ([name]) => name !== 'content-length' && name !== 'via' && name !== 'surrogate-key',
  )
  return [...lines, ['via', appendTo(response.fields.get('via'), VIA)]]
}

/** What a message says its content measures, if it is a length. */
export function declaredLength(fields: FieldReader): number | null {
  const text = fields.get('content-length')
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}

function appendTo(value: string | null, own: string): string {
  return value === null || value.trim() === '' ? own : `${value}, ${own}`
}
