import { parseTarget } from '../target.ts'
import type { Answer, ServerRequest } from './message.ts'
import type { HttpServer, ServerOptions } from './options.ts'

/** For a moment only: the same seam over Bun.serve. */
export function createHttpServer(options: ServerOptions): HttpServer {
  const server = Bun.serve({
    port: options.port,
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
    development: false,
    idleTimeout: 255,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(request, self) {
      const target = parseTarget(request.url)
      if (!target) return new Response('target-invalid', { status: 400 })
      const started = performance.now()
      const seen: ServerRequest = {
        method: request.method,
        host: (request.headers.get('host') ?? '').toLowerCase(),
        ...target,
        fields: { get: (name) => request.headers.get(name), lines: () => [...request.headers] },
        clientAddress: self.requestIP(request)?.address ?? '127.0.0.1',
        body: request.body,
        signal: request.signal,
      }
      const answer = await options.handle(seen)
      options.onExchange?.({ request: seen, answer, bytes: 0, durationMs: performance.now() - started, complete: true })
      return toResponse(answer, request.method)
    },
  })
  return {
    port: server.port ?? 0,
    inFlight: () => server.pendingRequests,
    connections: () => 0,
    refusals: () => ({}),
    async close() {
      await server.stop(true)
    },
  }
}

function toResponse(answer: Answer, method: string): Response {
  const headers = answer.head
    .split('\r\n')
    .filter(Boolean)
    .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
  if (method === 'HEAD' && answer.lengthBytes !== null) headers.push(['content-length', String(answer.lengthBytes)])
  const { body } = answer
  const own = Array.isArray(body) ? Buffer.concat(body as Uint8Array[]) : body
  return new Response(own as Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null, { status: answer.status, headers })
}
