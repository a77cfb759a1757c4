import type { Limits } from '../kernel/index.ts'
import { encodeHttpRequest, type WireHttpResponse } from '../wire/index.ts'
import { createCellClaims } from './cell-claim.ts'
import type { Cells } from './cells.ts'
import type { FieldLine } from './http/index.ts'
import { type EdgeProblem, toProblemAnswer } from './problem.ts'
import { readBody } from './read-body.ts'
import { type Answer, type AnswerReport, type ServerRequest, toHead } from './server/index.ts'

/** All that reaches a cell of what a client sent: hop-by-hop and `x-tentpole-*` headers are out by not being in. */
const FORWARDED = [
  'authorization',
  'content-type',
  'accept',
  'content-encoding',
  'if-none-match',
  'origin',
  'user-agent',
] as const
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
])
const INTERNAL = 'x-tentpole-'
/** The viewer's address, for signatures that are bound to it. */
const CLIENT_HEADER = 'x-tentpole-client'
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD'])
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Hands `/v1/*` to the viewer's cell. */
export function createApi(options: {
  cells: Cells
  limits: Pick<Limits, 'apiBodyBytesMax' | 'apiTimeoutMs' | 'viewerTokensMemoMax'>
}): (request: ServerRequest) => Promise<Answer> {
  const { cells, limits } = options
  const cellOf = createCellClaims({ tokensMax: limits.viewerTokensMemoMax })

  return async (request) => {
    const { method, path, query } = request
    if (!METHODS.has(method)) return toProblemAnswer(methodNotAllowed(method))
    const body = BODILESS.has(method) ? null : await readBody(request, limits.apiBodyBytesMax)
    if (body === 'too-large') return toProblemAnswer(bodyTooLarge(limits.apiBodyBytesMax))
    const answer = await cells.call({
      cell: cellOf(request.fields.get('authorization')),
      payload: encodeHttpRequest({
        method: method === 'HEAD' ? 'GET' : method,
        path: path + query,
        headers: forwardedHeaders(request),
        body,
      }),
      timeoutMs: limits.apiTimeoutMs,
      repeatable: body === null,
    })
    // Never the cell that the token names: nobody has verified it, and what is reported becomes a metric's label.
    const report: AnswerReport = { cache: 'none', key: null, tags: [], cell: answer.cell }
    return { ...(answer.ok ? toApiAnswer(answer.response, method) : toProblemAnswer(answer.problem)), report }
  }
}

function forwardedHeaders({ fields, clientAddress }: ServerRequest): [string, string][] {
  const headers: [string, string][] = [[CLIENT_HEADER, clientAddress]]
  for (const name of FORWARDED) {
    const value = fields.get(name)
    if (value !== null) headers.push([name, value])
  }
  return headers
}

function toApiAnswer({ status, headers, body }: WireHttpResponse, method: string): Answer {
  const lines: FieldLine[] = headers.filter(([name]) => !HOP_BY_HOP.has(name) && !name.startsWith(INTERNAL))
  const isHead = method === 'HEAD'
  return {
    status,
    head: toHead(lines),
    body: isHead || body.byteLength === 0 ? null : body,
    lengthBytes: isHead ? body.byteLength : null,
  }
}

function methodNotAllowed(method: string): EdgeProblem {
  return {
    status: 405,
    code: 'method-not-allowed',
    detail: `${method}: expected one of ${[...METHODS].join(', ')}`,
    headers: { allow: [...METHODS].join(', ') },
  }
}

function bodyTooLarge(bytesMax: number): EdgeProblem {
  return {
    status: 413,
    code: 'body-too-large',
    detail: `the body is larger than ${bytesMax} bytes; send less at once`,
    // What is left of the body would have to be read to keep the connection.
    headers: { connection: 'close' },
  }
}
