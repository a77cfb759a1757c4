import type { Answer, ServerRequest } from '../server/index.ts'
import { parseRequestTarget } from '../target.ts'

const ORIGIN = 'http://edge'

/** A request as the server would hand it on, and an answer as a client would see it, without sockets between. */
export function serverRequest(path: string, init: RequestInit = {}): ServerRequest {
  const request = new Request(ORIGIN + path, init)
  const target = parseRequestTarget(request.url.slice(ORIGIN.length))
  if (!target) throw new Error(`${path} is no target`)
  return {
    method: request.method,
    host: 'edge',
    ...target,
    fields: { get: (name) => request.headers.get(name), lines: () => [...request.headers] },
    clientAddress: '127.0.0.1',
    body: request.body,
    signal: request.signal,
  }
}

export function toResponse({ status, head, body, lengthBytes }: Answer): Response {
  const headers = head
    .split('\r\n')
    .filter(Boolean)
    .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
  const length = body instanceof Uint8Array ? body.byteLength : lengthBytes
  if (length !== null) headers.push(['content-length', String(length)])
  const content = Array.isArray(body) ? Buffer.concat(body as Uint8Array[]) : body
  return new Response(content as Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null, { status, headers })
}
