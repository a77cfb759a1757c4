import { createLogger, DEFAULT_LIMITS } from '../../../kernel/index.ts'
import { type Answer, createHttpServer, type Exchange, type HttpServer, type ServerOptions, toHead } from '../index.ts'
import { openRawClient, type RawClient } from './raw-client.ts'

/** A server over real sockets, and what was heard of it. */
export type OpenServer = {
  readonly server: HttpServer
  readonly exchanges: Exchange[]
  readonly logged: string[]
  client(options?: Parameters<typeof openRawClient>[1]): Promise<RawClient>
  close(): Promise<void>
}

export function openServer(
  options: Partial<Omit<ServerOptions, 'limits'>> & { readonly limits?: Partial<ServerOptions['limits']> } = {},
): OpenServer {
  const exchanges: Exchange[] = []
  const logged: string[] = []
  const clients: RawClient[] = []
  const server = createHttpServer({
    port: 0,
    hostname: '127.0.0.1',
    handle: ({ method, path, query }) => text(`${method} ${path}${query}`),
    onExchange: (exchange) => exchanges.push(exchange),
    logger: createLogger({ role: 'edge', format: 'text', write: (line) => logged.push(line) }),
    ...options,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  })
  return {
    server,
    exchanges,
    logged,
    async client(clientOptions) {
      const client = await openRawClient(server.port, clientOptions)
      clients.push(client)
      return client
    },
    async close() {
      for (const { socket } of clients) socket.destroy()
      await server.close({ drainMs: 0 })
    },
  }
}

export const text = (content: string, more: Partial<Answer> = {}): Answer => ({
  status: 200,
  head: toHead([['content-type', 'text/plain']]),
  body: Buffer.from(content),
  lengthBytes: null,
  ...more,
})

export const get = (path: string, fields = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
export const post = (content: string, fields = ''): string =>
  `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: ${content.length}\r\n${fields}\r\n${content}`

/** The answers in what a client got, in their order. Throws where they are not framed. */
export function readAnswers(got: string): { status: number; head: string; body: string }[] {
  const answers: { status: number; head: string; body: string }[] = []
  let at = 0
  while (at < got.length) {
    const end = got.indexOf('\r\n\r\n', at)
    const head = got.slice(at, end)
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? Number.NaN)
    if (end < 0 || Number.isNaN(status))
      throw new Error(`no answer at ${at}: ${JSON.stringify(got.slice(at, at + 80))}`)
    const { body, next } = readContent(got, end + 4, head, status)
    answers.push({ status, head, body })
    at = next
  }
  return answers
}

function readContent(got: string, start: number, head: string, status: number): { body: string; next: number } {
  if (status < 200 || status === 204 || status === 304) return { body: '', next: start }
  const length = /^content-length: (\d+)$/m.exec(head)?.[1]
  if (length) return { body: got.slice(start, start + Number(length)), next: start + Number(length) }
  if (!/^transfer-encoding: chunked$/m.test(head)) return { body: got.slice(start), next: got.length }
  let body = ''
  let at = start
  for (;;) {
    const line = got.indexOf('\r\n', at)
    const size = Number.parseInt(got.slice(at, line), 16)
    if (line < 0 || Number.isNaN(size)) throw new Error(`no chunk at ${at}: ${JSON.stringify(got.slice(at, at + 40))}`)
    body += got.slice(line + 2, line + 2 + size)
    at = line + 2 + size + 2
    if (size === 0) return { body, next: at }
  }
}
