import type { Limits } from '../kernel/index.ts'
import { encodeHttpRequest, type WireHttpResponse } from '../wire/index.ts'
import { createCellClaims } from './cell-claim.ts'
import type { Cells } from './cells.ts'
import { type EdgeProblem, toProblemResponse } from './problem.ts'
import type { Target } from './target.ts'

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
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD'])
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Hands `/v1/*` to the viewer's cell. */
export function createApi(options: {
  cells: Cells
  limits: Pick<Limits, 'apiBodyBytesMax' | 'apiTimeoutMs' | 'viewerTokensMemoMax'>
}): (request: Request, target: Target) => Promise<Response> {
  const { cells, limits } = options
  const cellOf = createCellClaims({ tokensMax: limits.viewerTokensMemoMax })

  return async (request, { path, query }) => {
    const { method } = request
    if (!METHODS.has(method)) return toProblemResponse(methodNotAllowed(method))
    const body = BODILESS.has(method) ? null : await readBody(request, limits.apiBodyBytesMax)
    if (body === 'too-large') return toProblemResponse(bodyTooLarge(limits.apiBodyBytesMax))
    const headers = forwardedHeaders(request.headers)
    const answer = await cells.call({
      cell: cellOf(request.headers.get('authorization')),
      payload: encodeHttpRequest({ method: method === 'HEAD' ? 'GET' : method, path: path + query, headers, body }),
      timeoutMs: limits.apiTimeoutMs,
      repeatable: body === null,
    })
    return answer.ok ? toApiResponse(answer.response, method) : toProblemResponse(answer.problem)
  }
}

/** A declared length is checked before a byte is read; an undeclared one (chunked) while reading. */
async function readBody(request: Request, bytesMax: number): Promise<Uint8Array | 'too-large'> {
  const length = request.headers.get('content-length')
  if (length !== null) return Number(length) > bytesMax ? 'too-large' : await request.bytes()
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of request.body ?? []) {
    bytes += part.byteLength
    if (bytes > bytesMax) return 'too-large'
    parts.push(part)
  }
  return Buffer.concat(parts, bytes)
}

function forwardedHeaders(from: Headers): [string, string][] {
  const headers: [string, string][] = []
  for (const name of FORWARDED) {
    const value = from.get(name)
    if (value !== null) headers.push([name, value])
  }
  return headers
}

function toApiResponse({ status, headers, body }: WireHttpResponse, method: string): Response {
  const init = { status, headers: toHeadersInit(headers) }
  if (method === 'HEAD') {
    if (!Array.isArray(init.headers)) init.headers['content-length'] = String(body.byteLength)
    return new Response(null, init)
  }
  return new Response(body.byteLength === 0 ? null : (body as Uint8Array<ArrayBuffer>), init)
}

/** A plain object, unless a name repeats (`set-cookie`). */
function toHeadersInit(headers: WireHttpResponse['headers']): Record<string, string> | [string, string][] {
  const plain: Record<string, string> = {}
  for (const [name, value] of headers) {
    if (HOP_BY_HOP.has(name) || name.startsWith(INTERNAL)) continue
    if (Object.hasOwn(plain, name))
      return headers
        .filter(([each]) => !HOP_BY_HOP.has(each) && !each.startsWith(INTERNAL))
        .map(([each, text]): [string, string] => [each, text])
    plain[name] = value
  }
  return plain
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
