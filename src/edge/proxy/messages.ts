import { createFieldReader } from '../cache/policy/index.ts'
import { endToEndLines, isOfConnection } from '../http/hop-by-hop.ts'
import type { FieldLine, FieldReader, RequestHead, ResponseHead } from '../http/message.ts'
import type { ServerRequest } from '../server/message.ts'
import { forwardsLeft, toMaxForwardsLine } from './max-forwards.ts'

/** How this hop names itself (RFC 9110, 7.6.3). */
const VIA = '1.1 tentpole'

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
 * origin makes of them would be everyone's answer. `Proxy` is what CGI takes for a setting of its own.
 */
const UNKEYED: ReadonlySet<string> = new Set([
  'forwarded',
  'front-end-https',
  'proxy',
  'x-host',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-host',
  'x-original-url',
  'x-rewrite-url',
])

/** Framing is ours, and so is what says where a request comes from and through whom. */
const OURS: ReadonlySet<string> = new Set(['content-length', 'host', 'transfer-encoding', 'via', 'x-forwarded-for'])

/** What the decisions see of a request; `uri` is what it is kept under: normalised, with the host, without any token. */
export function toRequestHead(request: ServerRequest, uri: string): RequestHead {
  return { method: request.method, uri, fields: request.fields }
}

/** Field lines for the origin: those of the client that are not of its connection (RFC 9110, 7.6.1), with our own marks. */
export function toForwardLines(
  request: ServerRequest,
  options: { readonly whole: boolean; readonly add?: readonly FieldLine[] },
): FieldLine[] {
  const { fields, host } = request
  const lines = endToEndLines(fields.lines(), fields.get('connection')).filter(([name]) => goesOn(name, options.whole))
  const left = forwardsLeft(request)
  const length = options.whole ? null : fields.get('content-length')
  return [
    // In the form that the answer is kept under: an origin may repeat it in what it answers.
    ...(host === '' ? [] : [['host', host] as const]),
    ...lines.map((line) => toMaxForwardsLine(line, left)),
    ...(length === null ? [] : [['content-length', length] as const]),
    ...(options.add ?? []),
    ['via', appendTo(fields.get('via'), VIA)],
    ['x-forwarded-for', appendTo(fields.get('x-forwarded-for'), request.clientAddress)],
  ]
}

/**
 * The same for a whole, without conditions of ours. The server gives the same fields to each request of a connection that sends the same:
 * what is sent on for them is then the same lines, which whoever frames them can tell by.
 */
export function toWholeLines(request: ServerRequest): readonly FieldLine[] {
  const { fields, host, method, clientAddress } = request
  const known = wholeLinesOf.get(fields)
  if (known?.host === host && known.clientAddress === clientAddress && method === 'GET') return known.lines
  const lines = toForwardLines(request, { whole: true })
  if (method === 'GET') wholeLinesOf.set(fields, { host, clientAddress, lines })
  return lines
}

const wholeLinesOf = new WeakMap<
  FieldReader,
  { readonly host: string; readonly clientAddress: string; readonly lines: readonly FieldLine[] }
>()

/** Many servers read `_` in a name as `-`: what must not go on does not in that spelling either. */
function goesOn(name: string, whole: boolean): boolean {
  const read = name.includes('_') ? name.replaceAll('_', '-') : name
  if (OURS.has(read) || UNKEYED.has(read) || read.startsWith('x-forwarded-')) return false
  if (read !== name && isOfConnection(read)) return false
  return !(whole && CONDITIONS.has(read))
}

/** Whether a request has been here too often already: a proxy in front of itself. */
export function isLooping(fields: FieldReader, visitsMax: number): boolean {
  const via = fields.get('via')
  return via !== null && via.split(',').filter((member) => member.trim() === VIA).length >= visitsMax
}

/** An origin's answer as decisions see it. */
export function toResponseHead(answer: {
  readonly status: number
  readonly lines: readonly FieldLine[]
}): ResponseHead {
  return { status: answer.status, lines: answer.lines, fields: createFieldReader(answer.lines) }
}

/** Of the connection, of this hop, or for this hop alone. */
const OWN: ReadonlySet<string> = new Set([
  'cache-status',
  'content-length',
  'date',
  'surrogate-key',
  'tentpole-cache-control',
  'via',
])

/** What of an answer goes on to the client, but for framing and Date, which are the server's, and Cache-Status, which is made for each. */
export function toClientLines(response: Pick<ResponseHead, 'lines' | 'fields'>): FieldLine[] {
  const { fields } = response
  const lines = endToEndLines(response.lines, fields.get('connection')).filter(([name]) => !OWN.has(name))
  const date = fields.get('date')
  return [...lines, ...(date === null ? [] : [['date', date] as const]), ['via', appendTo(fields.get('via'), VIA)]]
}

/** What a message says its content measures, if it is a length. */
export function declaredLength(fields: FieldReader): number | null {
  const text = fields.get('content-length')
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}

function appendTo(value: string | null, own: string): string {
  return value === null || value.trim() === '' ? own : `${value}, ${own}`
}
